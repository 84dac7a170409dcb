import threading
import time

import pytest

from app.health import Prober


@pytest.fixture
def prober() -> Prober:
    return Prober()


def test_answers_come_back_by_name(prober: Prober) -> None:
    answers = prober.ask({"one": lambda: 1, "two": lambda: 2}, 1)
    assert {name: answer.value for name, answer in answers.items()} == {"one": 1, "two": 2}


def test_a_failing_part_answers_with_its_error(prober: Prober) -> None:
    def fail() -> None:
        raise ConnectionError("refused\nand more lines")

    answer = prober.ask({"redis": fail}, 1)["redis"]
    assert answer.error == "ConnectionError: refused"


def test_a_hanging_part_delays_nobody_beyond_the_deadline(prober: Prober) -> None:
    released = threading.Event()
    started = time.monotonic()
    answers = prober.ask({"hangs": lambda: released.wait(10), "answers": lambda: "ok"}, 0.2)
    took = time.monotonic() - started
    released.set()
    assert took < 2
    assert answers["hangs"].error == "no answer within 0.2 s"
    assert answers["answers"].value == "ok"
    prober.close()


def test_whoever_asks_meanwhile_shares_the_answer() -> None:
    prober = Prober(shares=True)
    released, asked = threading.Event(), []

    def question() -> str:
        asked.append(1)
        released.wait(10)
        return "answer"

    assert prober.ask({"slow": question}, 0.05)["slow"].error == "no answer within 0.05 s"
    late = prober.ask({"slow": question, "quick": lambda: "ok"}, 0.05)
    assert late["slow"].error
    assert late["quick"].value == "ok"
    released.set()
    assert prober.ask({"slow": question}, 5)["slow"].value == "answer"
    assert len(asked) <= 2, "the second question came while the first one was open"
    prober.close()


def test_what_is_answered_is_asked_anew() -> None:
    prober = Prober(shares=True)
    counter = iter(range(10))
    assert [prober.ask({"n": lambda: next(counter)}, 5)["n"].value for _ in range(3)] == [0, 1, 2]
    prober.close()


def test_what_hangs_is_asked_on_another_connection_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.health.SHARED_SECONDS", 0)
    prober, released = Prober(shares=True), threading.Event()
    prober.ask({"part": lambda: released.wait(10)}, 0.01)
    assert prober.ask({"part": lambda: "answer"}, 5)["part"].value == "answer"
    released.set()
    prober.close()
