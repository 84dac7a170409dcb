"""Panels with words and figures: one large figure, and tables."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from grafana.pictures import style
from grafana.pictures.answers import Line
from grafana.pictures.canvas import Box, Canvas
from grafana.pictures.units import shown

ROW = 15.0


def draw_figure(canvas: Canvas, box: Box, panel: Mapping[str, Any], lines: Sequence[Line]) -> None:
    """Draw a panel of type stat."""
    options = panel["fieldConfig"]["defaults"]
    if not lines:
        text, color = options.get("noValue", "-"), style.MUTED
    else:
        value = lines[0].last
        named = panel["options"].get("textMode") == "name"
        text = lines[0].legend if named else said(value, options)
        color = style.NAMED[threshold(value, options["thresholds"]["steps"])]
    size = min(style.FIGURE_SIZE, (box.width - 16) / max(len(text), 1) / 0.6)
    middle = (box.x + box.width / 2, box.y + 10 + box.height / 2)
    canvas.write(*middle, text, color=color, size=size, ha="center")


def said(value: float, options: Mapping[str, Any]) -> str:
    """Return the word that stands for a value, or the value."""
    for mapping in options.get("mappings", ()):
        if math.isfinite(value) and str(int(value)) in mapping["options"]:
            return str(mapping["options"][str(int(value))]["text"])
    return shown(value, options["unit"], options.get("decimals"))


def threshold(value: float, steps: Sequence[Mapping[str, Any]]) -> str:
    """Return the colour of a value."""
    reached = [step["color"] for step in steps if step["value"] is None or value >= step["value"]]
    return str(reached[-1]) if math.isfinite(value) else "text"


def draw_table(canvas: Canvas, box: Box, panel: Mapping[str, Any], answers: Sequence[Sequence[Line]]) -> None:
    """Draw a panel of type table: a row for each set of labels, a column for each query."""
    head, rows = _cells(panel, answers)
    top = box.y + 34
    if not rows:
        canvas.write(
            box.x + box.width / 2,
            box.y + box.height / 2 + 6,
            panel["fieldConfig"]["defaults"].get("noValue", "nothing"),
            color=style.MUTED,
            ha="center",
        )
        return
    table = [head, *rows][: int((box.height - 30) / ROW)]
    longest = [max(len(row[column]) for row in table) + 3 for column in range(len(head))]
    letter = (box.width - 20) / sum(longest)
    for number, row in enumerate(table):
        x = box.x + 10
        for text, length in zip(row, longest, strict=True):
            color = style.NAMED["blue"] if number == 0 else style.TEXT
            canvas.write(x, top + ROW * number, text, color=color)
            x += length * letter


def _cells(panel: Mapping[str, Any], answers: Sequence[Sequence[Line]]) -> tuple[list[str], list[list[str]]]:
    organized = panel["transformations"][-1]["options"]
    hidden = organized["excludeByName"]
    columns = [] if hidden.get("Value") else list(organized["renameByName"].values())
    labels = sorted(
        {label for lines in answers for line in lines for label in line.labels},
        key=lambda label: (organized["indexByName"].get(label, math.inf), label),
    )
    settings = {
        override["matcher"]["options"]: {one["id"]: one["value"] for one in override["properties"]}
        for override in panel["fieldConfig"]["overrides"]
    }
    found: dict[tuple[str, ...], dict[str, str]] = {}
    for number, lines in enumerate(answers):
        for line in lines:
            row = found.setdefault(tuple(line.labels.get(label, "") for label in labels), {})
            if columns:
                title = columns[number]
                row[title] = shown(line.last, settings[title]["unit"], settings[title].get("decimals"))
    rows = [[*key, *(row.get(title, "") for title in columns)] for key, row in sorted(found.items())]
    return [*labels, *columns], rows
