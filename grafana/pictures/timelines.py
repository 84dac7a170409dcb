"""States over time: a bar for each part."""

from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from grafana.pictures import style
from grafana.pictures.answers import Line
from grafana.pictures.canvas import Box, Canvas
from grafana.pictures.clock import Span, show_time, when

LEFT, TOP, RIGHT, BELOW = 56.0, 27.0, 9.0, 32.0


def draw(canvas: Canvas, box: Box, panel: Mapping[str, Any], lines: Sequence[Line], span: Span) -> None:
    """Draw a panel of type state-timeline."""
    states = panel["fieldConfig"]["defaults"]["mappings"][0]["options"]
    axes = canvas.axes(box.inside(LEFT, TOP, RIGHT, BELOW))
    show_time(axes, span)
    axes.grid(visible=False, axis="y")
    for place, line in enumerate(lines):
        values = list(zip(line.times, line.values, strict=True))
        for value, stretch in groupby(values, key=lambda pair: str(int(pair[1]))):
            times = [at for at, _ in stretch]
            axes.barh(
                place,
                width=when(times[-1] + span.step) - when(times[0]),
                left=when(times[0]),
                height=0.7,
                color=style.NAMED[states[value]["color"]],
                alpha=0.75,
            )
    axes.set_yticks(range(len(lines)), [line.legend for line in lines], color=style.TEXT)
    axes.set_ylim(len(lines) - 0.4, -0.6)
    x, y = box.x + RIGHT, box.y + box.height - 9
    for state in states.values():
        canvas.write(x, y, "■", color=style.NAMED[state["color"]], size=style.TEXT_SIZE)
        canvas.write(x + 10, y, state["text"], size=style.SMALL_SIZE)
        x += len(state["text"]) * style.SMALL_SIZE * style.LETTER + 22
