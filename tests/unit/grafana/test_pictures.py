"""What the pictures are made of; that they look well only a person can tell."""

import json
import math
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from grafana.generate import documents
from grafana.live import Prometheus, Query, Window
from grafana.pictures import style
from grafana.pictures.__main__ import IMAGES
from grafana.pictures.answers import Line, lines, starts
from grafana.pictures.draw import draw, sheet
from grafana.pictures.legends import Stroke, broken
from grafana.pictures.tiles import threshold
from grafana.pictures.units import shown

DASHBOARDS = {name: json.loads(text) for name, text in documents().items()}
PNG = b"\x89PNG"


class KnowsNothing(Prometheus):
    def series(self, query: Query, values: Mapping[str, str], window: Window) -> list[dict[str, Any]]:
        del query, values, window
        return []


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (0.0042, "s", "4.2 ms"),
        (0.0, "s", "0 s"),
        (90, "s", "1.5 min"),
        (33 * 86400, "s", "33 d"),
        (0.99951, "percentunit", "100 %"),
        (3 * 2**20, "bytes", "3 MiB"),
        (12.34, "ops", "12.3 /s"),
        (1234, "short", "1234"),
        (45678, "short", "45.7 k"),
        (math.nan, "s", "-"),
    ],
)
def test_a_figure_is_as_short_as_it_can_be_read(value: float, unit: str, text: str) -> None:
    assert shown(value, unit) == text


def test_a_share_that_must_not_be_rounded_up_has_decimals() -> None:
    assert shown(0.99951, "percentunit", 2) == "99.95 %"


def test_every_kind_of_panel_is_drawn_even_without_an_answer(tmp_path: Path) -> None:
    kinds = {panel["type"]: panel for dashboard in DASHBOARDS.values() for panel in dashboard["panels"]}
    dashboard = {**DASHBOARDS["conveyor-redis.json"], "panels": [*kinds.values()]}
    picture = tmp_path / "picture.png"
    draw(dashboard, KnowsNothing("http://127.0.0.1"), Window(0, 600), picture)
    assert picture.read_bytes().startswith(PNG)
    assert set(kinds) == {"row", "stat", "timeseries", "state-timeline", "table"}


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_documentation_has_a_picture_of_every_dashboard_with_all_of_its_rows(name: str) -> None:
    picture = IMAGES / f"grafana-{Path(name).stem.removeprefix('conveyor-')}.png"
    size = struct.unpack(">II", picture.read_bytes()[16:24])
    canvas = sheet(DASHBOARDS[name])
    drawn = (canvas.width * style.DOTS_PER_POINT, canvas.height * style.DOTS_PER_POINT)
    assert size == pytest.approx(drawn, abs=1)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_colour_of_a_dashboard_has_one_in_the_pictures(name: str) -> None:
    def colours(part: object) -> set[str]:
        if isinstance(part, list):
            return set().union(*map(colours, part))
        if not isinstance(part, dict):
            return set()
        own = {part[key] for key in ("color", "fixedColor") if isinstance(part.get(key), str)}
        return own.union(*map(colours, part.values()))

    assert colours(DASHBOARDS[name]["panels"]) - {"transparent"} <= set(style.NAMED)


def test_a_legend_is_what_grafana_would_write() -> None:
    series = [{"metric": {"member": "mysql-0"}, "values": [[5, "1"]]}]
    [line] = lines("{{pod}}{{member}}: {{member}}", series)
    assert (line.legend, line.last) == ("mysql-0: mysql-0", 1)


def test_an_event_is_marked_where_it_begins() -> None:
    line = Line("", {}, (0, 60, 120, 600), (1, 1, 1, 1))
    assert starts(line, 60) == [0, 600]


def test_a_legend_that_is_too_long_ends() -> None:
    strokes = [Stroke(Line(f"series number {number}", {}, (), ()), "red") for number in range(30)]
    assert [len(row) for row in broken(strokes, 300)] == [3, 3]


@pytest.mark.parametrize(("value", "color"), [(0, "green"), (1, "red"), (5, "red"), (math.nan, "text")])
def test_a_figure_has_the_colour_of_its_limit(value: float, color: str) -> None:
    steps: list[dict[str, object]] = [{"value": None, "color": "green"}, {"value": 1, "color": "red"}]
    assert threshold(value, steps) == color
