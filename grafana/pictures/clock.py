"""The axis of time that all graphs share, with marks of what happened."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from matplotlib.axes import Axes
from matplotlib.dates import DateFormatter, date2num

from grafana.pictures import style

MOST_TICKS = 6
MINUTES = (1, 2, 5, 10, 15, 30, 60, 120, 240, 480, 1440)


@dataclass(frozen=True)
class Span:
    """The time that is shown, the pause between two values, and what happened meanwhile."""

    start: float
    end: float
    step: float
    events: Sequence[float] = ()

    @property
    def steps(self) -> list[float]:
        """The moments of values, as matplotlib counts time."""
        return [when(self.start + self.step * number) for number in range(self.place(self.end) + 1)]

    def place(self, seconds: float) -> int:
        """Return which of the moments it is."""
        return round((seconds - self.start) / self.step)


def when(seconds: float) -> float:
    """Return a moment as matplotlib counts time."""
    return float(date2num(datetime.fromtimestamp(seconds, UTC)))


def show_time(axes: Axes, span: Span) -> None:
    """Give axes the time that is shown, and nothing that distracts."""
    axes.set_xlim(when(span.start), when(span.end))
    axes.set_xticks([when(tick) for tick in _ticks(span)])
    axes.xaxis.set_major_formatter(DateFormatter("%H:%M", tz=UTC))
    axes.tick_params(colors=style.MUTED, labelsize=style.SMALL_SIZE, length=0, pad=3)
    axes.grid(visible=True, color=style.GRID, linewidth=0.5)
    axes.set_axisbelow(True)
    for side in axes.spines.values():
        side.set_visible(False)
    for event in span.events:
        axes.axvline(when(event), color=style.NAMED["purple"], linewidth=0.8, linestyle=(0, (3, 2)), zorder=4)


def _ticks(span: Span) -> list[float]:
    shown = (span.end - span.start) / 60
    pause = 60 * next((minutes for minutes in MINUTES if shown / minutes <= MOST_TICKS), MINUTES[-1])
    first = span.start + -span.start % pause
    return [first + pause * number for number in range(int((span.end - first) / pause) + 1)]
