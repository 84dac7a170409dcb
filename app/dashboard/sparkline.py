"""Tasks ended per minute as bars: the geometry of the picture, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from app.operations.schemas import EndedMinute

HEIGHT, SLOT, BAR = 96, 10, 8
# One failure among a thousand successes has to be seen.
LEAST_HEIGHT = 3.0
OUTCOMES = ("succeeded", "failed", "cancelled")


class Segment(NamedTuple):
    """The part of a bar that stands for one outcome."""

    outcome: str
    y: float
    height: float


@dataclass(frozen=True)
class Bar:
    """One minute."""

    x: int
    words: str
    segments: Sequence[Segment]


@dataclass(frozen=True)
class Sparkline:
    """The bars, oldest first, and the same in words."""

    bars: Sequence[Bar]
    words: str
    peak: int

    @property
    def width(self) -> int:
        """The width of the picture in its own units."""
        return len(self.bars) * SLOT

    @classmethod
    def of(cls, minutes: Sequence[EndedMinute]) -> "Sparkline":
        """Draw the minutes."""
        peak = max((ended(minute) for minute in minutes), default=0)
        bars = [_bar(number * SLOT, minute, peak) for number, minute in enumerate(minutes)]
        return cls(bars, in_words(minutes), peak)


def ended(minute: EndedMinute) -> int:
    """Return how many tasks ended in a minute, however."""
    return minute.succeeded + minute.failed + minute.cancelled


def in_words(minutes: Sequence[EndedMinute]) -> str:
    """Say what the picture shows."""
    total = sum(map(ended, minutes))
    if not total:
        return f"No task ended in the last {len(minutes)} minutes."
    busiest = max(minutes, key=ended)
    parts = [
        f"{count:,} {outcome}"
        for outcome in OUTCOMES
        if (count := sum(getattr(minute, outcome) for minute in minutes))
    ]
    return (
        f"{total:,} ended in the last {len(minutes)} minutes: {', '.join(parts)}. "
        f"The most in one minute were {ended(busiest):,}, at {busiest.start:%H:%M} UTC."
    )


def _bar(x: int, minute: EndedMinute, peak: int) -> Bar:
    segments: list[Segment] = []
    top = float(HEIGHT)
    for outcome in OUTCOMES:
        count = getattr(minute, outcome)
        if count:
            height = max(LEAST_HEIGHT, count / peak * (HEIGHT - 2 * LEAST_HEIGHT))
            top -= height
            segments.append(Segment(outcome, round(top, 1), round(height, 1)))
    counts = ", ".join(f"{getattr(minute, outcome):,} {outcome}" for outcome in OUTCOMES)
    return Bar(x, f"{minute.start:%H:%M} UTC: {counts}", segments)
