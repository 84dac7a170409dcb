"""Waiting with a deadline and a description of what for."""

import time
from collections.abc import Callable

POLL_SECONDS = 0.1


def wait_until(
    condition: Callable[[], object],
    description: str,
    deadline_seconds: float = 30,
    poll_seconds: float = POLL_SECONDS,
) -> float:
    """Return the seconds it took for the condition to hold; fail with the description after the deadline."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > deadline_seconds:
            raise AssertionError(f"not within {deadline_seconds:.0f} s: {description}")
        time.sleep(poll_seconds)
    return time.monotonic() - started
