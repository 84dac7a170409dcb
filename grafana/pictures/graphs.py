"""Lines over time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, MaxNLocator

from grafana.pictures import legends, style
from grafana.pictures.answers import Line
from grafana.pictures.canvas import Box, Canvas
from grafana.pictures.clock import Span, show_time
from grafana.pictures.legends import Stroke
from grafana.pictures.units import shown

LEFT, TOP, RIGHT, BELOW = 40.0, 27.0, 9.0, 20.0
HEADROOM = 1.08
Values = np.ndarray[Any, np.dtype[np.float64]]


@dataclass(frozen=True)
class Area:
    """What a line encloses."""

    bottom: Values
    top: Values
    color: str
    opacity: float


def draw(canvas: Canvas, box: Box, panel: Mapping[str, Any], lines: Sequence[Line], span: Span) -> None:
    """Draw a panel of type timeseries."""
    strokes = legends.coloured(lines, panel)
    legend = legends.broken(strokes, box.width)
    plot = box.inside(LEFT, TOP, RIGHT, BELOW + legends.LINE_HEIGHT * len(legend))
    axes = canvas.axes(plot)
    show_time(axes, span)
    options = panel["fieldConfig"]["defaults"]
    custom = options.get("custom", {})
    areas = _stacked(strokes, span) if _is_stacked(custom) else _overlaid(strokes, span)
    for area in areas:
        _paint(axes, area, span, steps=custom.get("lineInterpolation") == "stepAfter")
    _show_values(axes, options["unit"], areas)
    _show_limits(axes, options)
    legends.write(canvas, box, legend)
    if not lines:
        middle = (plot.x + plot.width / 2, plot.y + plot.height / 2)
        canvas.write(*middle, "nothing", color=style.MUTED, ha="center")


def _is_stacked(custom: Mapping[str, Any]) -> bool:
    return bool(custom.get("stacking", {}).get("mode") == "normal")


def _overlaid(strokes: Sequence[Stroke], span: Span) -> list[Area]:
    ground = np.zeros(len(span.steps))
    return [Area(ground, _values(stroke.line, span), stroke.color, 0.08) for stroke in strokes]


def _stacked(strokes: Sequence[Stroke], span: Span) -> list[Area]:
    heights = [np.nan_to_num(_values(stroke.line, span)) for stroke in strokes]
    tops = np.cumsum(heights, axis=0)
    return [
        Area(top - height, top, stroke.color, 0.35)
        for top, height, stroke in zip(tops, heights, strokes, strict=True)
    ]


def _paint(axes: Axes, area: Area, span: Span, *, steps: bool) -> None:
    line: Literal["steps-post", "default"] = "steps-post" if steps else "default"
    edge: Literal["post"] | None = "post" if steps else None
    axes.plot(span.steps, area.top, color=area.color, linewidth=1.0, drawstyle=line)
    axes.fill_between(
        span.steps, area.bottom, area.top, color=area.color, alpha=area.opacity, step=edge, linewidth=0
    )


def _values(line: Line, span: Span) -> Values:
    """Return the values at every step, with holes where there was nothing."""
    values = np.full(len(span.steps), np.nan)
    for at, value in zip(line.times, line.values, strict=True):
        values[span.place(at)] = value
    return values


def _show_values(axes: Axes, unit: str, areas: Sequence[Area]) -> None:
    highest = max((float(np.nanmax(area.top)) for area in areas if np.isfinite(area.top).any()), default=0.0)
    top = highest * HEADROOM or 1.0
    axes.set_ylim(0, top)
    axes.yaxis.set_major_locator(MaxNLocator(nbins=4, integer=unit == "short" and top > 1))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: shown(value, unit)))


def _show_limits(axes: Axes, options: Mapping[str, Any]) -> None:
    if "thresholdsStyle" not in options.get("custom", {}):
        return
    for step in options["thresholds"]["steps"]:
        if step["value"] is not None and step["value"] <= axes.get_ylim()[1]:
            color = style.NAMED[step["color"]]
            axes.axhline(step["value"], color=color, linewidth=0.8, linestyle=(0, (4, 2)))
