"""One dashboard as one picture."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from grafana.live import Prometheus, Query, Window, queries, variables
from grafana.pictures import graphs, style, tiles, timelines
from grafana.pictures.answers import Line, lines, starts
from grafana.pictures.canvas import Canvas
from grafana.pictures.clock import Span

Answers = Mapping[str, list[list[Line]]]
# Grafana asks for annotations once a minute
MARKS_STEP = 60.0
CREDIT = "drawn from the dashboard's queries to a live Prometheus; Grafana draws it in its own way"


def draw(dashboard: Mapping[str, Any], prometheus: Prometheus, window: Window, path: Path) -> None:
    """Ask Prometheus all that the dashboard asks, and draw the answers where its panels lie."""
    answers = _ask(dashboard, prometheus, window)
    marks = [line for name in _marks(dashboard) for one in answers[name] for line in one]
    events = [at for line in marks for at in starts(line, MARKS_STEP)]
    span = Span(window.start, window.end, window.step, events)
    canvas = sheet(dashboard)
    canvas.write(style.PADDING, 22, dashboard["title"], size=13)
    canvas.write(
        canvas.width - style.PADDING, 22, CREDIT, size=style.SMALL_SIZE, color=style.MUTED, ha="right"
    )
    for panel in dashboard["panels"]:
        _panel(canvas, panel, answers, span)
    canvas.save(path)


def sheet(dashboard: Mapping[str, Any]) -> Canvas:
    """Return an empty sheet that the dashboard's panels fill."""
    return Canvas(max(panel["gridPos"]["y"] + panel["gridPos"]["h"] for panel in dashboard["panels"]))


def _marks(dashboard: Mapping[str, Any]) -> list[str]:
    return [annotation["name"] for annotation in dashboard["annotations"]["list"]]


def _ask(dashboard: Mapping[str, Any], prometheus: Prometheus, window: Window) -> Answers:
    answers: dict[str, list[list[Line]]] = {}
    values = variables(dashboard)
    for query in queries(dashboard):
        series = prometheus.series(query, values, _window(dashboard, query, window))
        answers.setdefault(query.panel, []).append(list(lines(query.legend, series)))
    return answers


def _window(dashboard: Mapping[str, Any], query: Query, window: Window) -> Window:
    if query.panel not in _marks(dashboard):
        return window
    return Window(window.start, window.end, MARKS_STEP, window.scrape_interval)


def _panel(canvas: Canvas, panel: Mapping[str, Any], answers: Answers, span: Span) -> None:
    box = canvas.place(panel["gridPos"])
    if panel["type"] == "row":
        canvas.write(box.x + 2, box.y + box.height / 2 + 2, panel["title"], size=9.5)
        return
    canvas.panel(box)
    canvas.write(box.x + 9, box.y + 13, panel["title"], size=style.TITLE_SIZE)
    found = answers[panel["title"]]
    together = [line for one in found for line in one]
    match panel["type"]:
        case "stat":
            tiles.draw_figure(canvas, box, panel, together)
        case "timeseries":
            graphs.draw(canvas, box, panel, together, span)
        case "state-timeline":
            timelines.draw(canvas, box, panel, together, span)
        case "table":
            tiles.draw_table(canvas, box, panel, found)
        case other:
            raise ValueError(f"nobody has taught how to draw a panel of type {other}")
