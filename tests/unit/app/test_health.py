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
