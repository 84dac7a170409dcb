"""What the lines of a graph are called."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from grafana.pictures import style
from grafana.pictures.answers import Line
from grafana.pictures.canvas import Box, Canvas

LINE_HEIGHT = 10.5
MOST_LINES = 2
MARGIN = 9.0


@dataclass(frozen=True)
class Stroke:
    """A line and its colour."""

    line: Line
    color: str


def coloured(lines: Sequence[Line], panel: Mapping[str, Any]) -> list[Stroke]:
    """Give each line the colour that the panel has for its name, or the next one."""
    chosen = {
        override["matcher"]["options"]: style.NAMED[setting["value"]["fixedColor"]]
        for override in panel["fieldConfig"]["overrides"]
        for setting in override["properties"]
        if setting["id"] == "color"
    }
    others = [color for color in style.SERIES if color not in chosen.values()]
    free = iter(others * (len(lines) // len(others) + 1))
    return [Stroke(line, chosen.get(line.legend) or next(free)) for line in lines]


def broken(strokes: Sequence[Stroke], width: float) -> list[list[Stroke]]:
    """Break a legend into as many lines as it needs; what does not fit into two of them is left out."""
    rows: list[list[Stroke]] = [[]]
    used = 0.0
    for stroke in strokes:
        if used + _width(stroke) > width - 2 * MARGIN and rows[-1]:
            if len(rows) == MOST_LINES:
                break
            rows.append([])
            used = 0.0
        rows[-1].append(stroke)
        used += _width(stroke)
    return rows


def write(canvas: Canvas, box: Box, rows: Sequence[Sequence[Stroke]]) -> None:
    """Write a legend at the lower edge of a panel."""
    for number, row in enumerate(rows):
        x, y = box.x + MARGIN, box.y + box.height - MARGIN - LINE_HEIGHT * (len(rows) - 1 - number)
        for stroke in row:
            canvas.write(x, y, "━", color=stroke.color, size=style.SMALL_SIZE)
            canvas.write(x + 10, y, stroke.line.legend, size=style.SMALL_SIZE)
            x += _width(stroke)


def _width(stroke: Stroke) -> float:
    return len(stroke.line.legend) * style.SMALL_SIZE * style.LETTER + 20
