from collections.abc import Callable

import pytest

from waiting import NotYetError, eventually


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def read(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def saying(*seen: str) -> Callable[[], str]:
    """Return a probe that sees one thing after the other, the last one for ever."""
    left = list(seen)

    def probe() -> str:
        now = left.pop(0) if len(left) > 1 else left[0]
        if now == "ready":
            return now
        raise NotYetError(now)

    return probe


def wait(probe: Callable[[], str], timeout_seconds: float = 10) -> str:
    clock = Clock()
    return eventually("the API is ready", probe, timeout_seconds, clock.read, clock.sleep)


def test_the_probes_value_is_returned_as_soon_as_there_is_one() -> None:
    assert wait(saying("0/3", "2/3", "ready")) == "ready"


def test_after_the_deadline_the_last_three_distinct_observations_are_told() -> None:
    with pytest.raises(AssertionError) as failure:
        wait(saying("no pod", "0/3", "0/3", "1/3", "2/3"))
    assert str(failure.value) == (
        "not within 10 s: the API is ready\n  from 0.5 s on: 0/3\n  from 1.5 s on: 1/3\n  from 2.0 s on: 2/3"
    )


def test_a_refused_connection_is_an_observation() -> None:
    def refused() -> str:
        raise ConnectionRefusedError(111, "Connection refused")

    with pytest.raises(AssertionError, match="Connection refused"):
        wait(refused)


def test_what_a_probe_does_wrong_is_not_waited_for() -> None:
    with pytest.raises(KeyError):
        wait(lambda: {"a": "b"}["c"])
