"""Waiting with a description, a deadline, and what was seen instead."""

import time
from collections.abc import Callable
from typing import TypeVar

POLL_SECONDS = 0.5
REMEMBERED = 3

T = TypeVar("T")


class NotYetError(Exception):
    """What a probe saw is not what it looks for; the message says what it saw."""


class Observations:
    """The last distinct things that were seen, each with the seconds from which on it was."""

    def __init__(self) -> None:
        self._seen: list[tuple[float, str]] = []

    def add(self, seconds: float, seen: str) -> None:
        if not self._seen or self._seen[-1][1] != seen:
            self._seen = [*self._seen, (seconds, seen)][-REMEMBERED:]

    def __str__(self) -> str:
        return "\n".join(f"  from {seconds:.1f} s on: {seen}" for seconds, seen in self._seen)


def eventually(
    description: str,
    probe: Callable[[], T],
    timeout_seconds: float,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> T:
    """Return what the probe returns once it no longer raises NotYetError or OSError.

    Raises:
        AssertionError: the deadline passed; it tells the last three distinct observations.
    """
    started = clock()
    observations = Observations()
    while True:
        try:
            return probe()
        except (NotYetError, OSError) as error:
            observations.add(clock() - started, str(error) or repr(error))
        if clock() - started >= timeout_seconds:
            raise AssertionError(f"not within {timeout_seconds:.0f} s: {description}\n{observations}")
        sleep(POLL_SECONDS)
