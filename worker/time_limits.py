"""When an attempt is interrupted, and when its process is killed."""

import math
from collections.abc import Iterable
from typing import NamedTuple

LONGEST_MARGIN_SECONDS = 60.0
SHORTEST_MARGIN_SECONDS = 1.0
MARGIN_SHARE = 0.03


class TimeLimits(NamedTuple):
    """Seconds after which the task is interrupted (soft), and its process killed (hard)."""

    soft: float
    hard: float


def longest_silence(hard_seconds: Iterable[float]) -> int:
    """Return for how many seconds a task may compute without a word to the database."""
    return math.ceil(max(hard_seconds) + LONGEST_MARGIN_SECONDS)


def time_limits(hard_seconds: float) -> TimeLimits:
    """Return both limits; the margin is the task's time to be interrupted and recorded as failed."""
    margin = max(SHORTEST_MARGIN_SECONDS, hard_seconds * MARGIN_SHARE)
    margin = min(margin, LONGEST_MARGIN_SECONDS, hard_seconds / 2)
    return TimeLimits(soft=hard_seconds - margin, hard=hard_seconds)
