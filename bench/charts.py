"""Bars with their spread, drawn as SVG: few lines, so no library."""

from collections.abc import Sequence
from html import escape
from typing import NamedTuple

WIDTH, LEFT, RIGHT, ROW, TOP = 720, 190, 90, 26, 44
# the first bar is Conveyor's
OWN_COLOUR, OTHER_COLOUR, SPREAD_COLOUR, TEXT_COLOUR = "#2563eb", "#94a3b8", "#0f172a", "#334155"


class Bar(NamedTuple):
    """A middle, and the least and the most that it was."""

    name: str
    least: float
    middle: float
    most: float
    own: bool = False


def bar_chart(title: str, bars: Sequence[Bar], digits: int = 0) -> str:
    """Return a picture that is readable on light and dark pages."""
    height = TOP + ROW * len(bars) + 12
    scale = (WIDTH - LEFT - RIGHT) / (max(bar.most for bar in bars) or 1)
    rows = "\n".join(_row(number, bar, scale, digits) for number, bar in enumerate(bars))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" viewBox="0 0 {WIDTH} {height}"
  role="img" aria-label="{escape(title)}"
  font-family="system-ui, sans-serif" font-size="13" fill="{TEXT_COLOUR}">
<rect width="100%" height="100%" fill="#ffffff"/>
<text x="12" y="24" font-size="15" font-weight="600">{escape(title)}</text>
{rows}
</svg>
"""


def _row(number: int, bar: Bar, scale: float, digits: int) -> str:
    top, colour = TOP + ROW * number, OWN_COLOUR if bar.own else OTHER_COLOUR
    middle, first, last = (LEFT + value * scale for value in (bar.middle, bar.least, bar.most))
    line = top + ROW / 2 - 2
    return "\n".join(
        (
            f'<text x="{LEFT - 8}" y="{line + 5:.0f}" text-anchor="end">{escape(bar.name)}</text>',
            f'<rect x="{LEFT}" y="{top}" width="{middle - LEFT:.1f}" height="{ROW - 6}" fill="{colour}"/>',
            f'<path d="M{first:.1f} {line:.0f}H{last:.1f}" stroke="{SPREAD_COLOUR}" stroke-width="2"/>',
            f'<text x="{last + 8:.1f}" y="{line + 5:.0f}">{bar.middle:.{digits}f}</text>',
        )
    )
