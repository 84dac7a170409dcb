"""The dashboards are what their source says, and ask for what is measured."""

import json
import re
from typing import Any

import promql_parser as promql
import pytest
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.cog.plugins import register_default_plugins
from grafana_foundation_sdk.models.dashboard import Dashboard

from docs.catalogue import catalogue
from docs.metric_uses import RULES
from docs.promql import nodes
from grafana.generate import FOLDER, documents
from grafana.live import Query, Window, filled, queries, variables

DASHBOARDS = {name: json.loads(text) for name, text in documents().items()}
# bookmarks hold them
UIDS = {"conveyor", "conveyor-tasks", "conveyor-mysql", "conveyor-redis"}
UNITS = {"short", "s", "bytes", "percentunit", "ops", "reqps"}
WIDTH = 24
WINDOW = Window(start=0, end=3600)
QUERIES = [(name, query) for name, dashboard in DASHBOARDS.items() for query in queries(dashboard)]
# what Prometheus, its targets and its rules add to every series
EVERYWHERE = frozenset({"instance", "job", "namespace", "pod", "part", "member", "le", "conveyor_component"})
MEASURED = {name: EVERYWHERE.union(entry.labels) for entry in catalogue() for name in entry.samples}
MEASURED["ALERTS"] = EVERYWHERE | {"alertname", "alertstate", "severity", "task", "queue"}
# a label that a query makes itself
MADE = {"class"}

every_dashboard = pytest.mark.parametrize("name", DASHBOARDS)
every_query = pytest.mark.parametrize(
    ("name", "query"), QUERIES, ids=[f"{number} {query.panel}" for number, (_, query) in enumerate(QUERIES)]
)


def panels(name: str) -> list[dict[str, Any]]:
    return [panel for panel in DASHBOARDS[name]["panels"] if panel["type"] != "row"]


def parsed(name: str, query: Query) -> list[promql.Expr]:
    """Return every node of a query, its variables replaced as Grafana would."""
    values = {**variables(DASHBOARDS[name]), **WINDOW.built_in}
    return nodes(promql.parse(filled(query.expression, values)))


@every_dashboard
def test_the_file_is_as_the_source_says(name: str) -> None:
    written = FOLDER / name
    assert written.exists(), "run `make docs` and commit the dashboards"
    assert written.read_text(encoding="utf-8") == documents()[name], "run `make docs`, commit the dashboards"


def test_there_are_no_other_files() -> None:
    assert {path.name for path in FOLDER.iterdir()} == set(DASHBOARDS)


@every_dashboard
def test_grafana_knows_every_field(name: str) -> None:
    register_default_plugins()
    dashboard = json.loads(documents()[name])
    again = json.loads(JSONEncoder().encode(Dashboard.from_json(dashboard)))
    for annotation in dashboard["annotations"]["list"]:
        # a word of Prometheus' plugin, which the schema of dashboards does not have
        assert annotation.pop("titleFormat")
    assert again == dashboard


@every_query
def test_a_query_names_only_what_is_measured(name: str, query: Query) -> None:
    selectors = [node for node in parsed(name, query) if isinstance(node, promql.VectorSelector)]
    assert selectors
    for selector in selectors:
        assert selector.name in MEASURED, selector.name
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= MEASURED[str(selector.name)], selector.name
        assert "namespace" in asked, f"{selector.name} is not only of the chosen namespace"


@every_query
def test_a_query_groups_by_labels_that_are_there(name: str, query: Query) -> None:
    for node in parsed(name, query):
        if isinstance(node, promql.AggregateExpr) and node.modifier:
            inner = [one for one in nodes(node.expr) if isinstance(one, promql.VectorSelector)]
            there = {label for one in inner for label in MEASURED[str(one.name)]} | MADE
            assert set(node.modifier.labels) <= there


@every_query
def test_a_legend_shows_labels_that_the_query_keeps(name: str, query: Query) -> None:
    shown = set(re.findall(r"{{(\w+)}}", query.legend))
    outermost = next((node for node in parsed(name, query) if isinstance(node, promql.AggregateExpr)), None)
    kept = set(outermost.modifier.labels) if outermost and outermost.modifier else set()
    assert shown <= kept


@every_dashboard
def test_every_panel_says_what_it_shows_and_in_which_unit(name: str) -> None:
    titles = [panel["title"] for panel in panels(name)]
    assert len(titles) == len(set(titles)), "the same title twice"
    for panel in panels(name):
        assert len(panel["description"]) > 20, panel["title"]
        assert panel["fieldConfig"]["defaults"]["unit"] in UNITS, panel["title"]
        assert panel["targets"], panel["title"]
        assert panel["datasource"]["uid"] == "${datasource}"


@every_dashboard
def test_the_panels_lie_beside_each_other(name: str) -> None:
    taken: set[tuple[int, int]] = set()
    for panel in DASHBOARDS[name]["panels"]:
        place = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        }
        assert not cells & taken, panel["title"]
        assert place["x"] + place["w"] <= WIDTH, panel["title"]
        taken |= cells
    bottom = max(y for _, y in taken) + 1
    assert len(taken) == WIDTH * bottom, "there is a hole"


def test_every_panel_and_dashboard_can_be_told_from_the_others() -> None:
    assert {dashboard["uid"] for dashboard in DASHBOARDS.values()} == UIDS
    for dashboard in DASHBOARDS.values():
        numbers = [panel["id"] for panel in dashboard["panels"]]
        assert len(numbers) == len(set(numbers))


@every_dashboard
def test_the_others_are_a_click_away(name: str) -> None:
    [link] = DASHBOARDS[name]["links"]
    assert (link["type"], link["includeVars"], link["keepTime"]) == ("dashboards", True, True)
    assert set(link["tags"]) <= set(DASHBOARDS[name]["tags"])


@every_dashboard
def test_a_link_to_a_runbook_names_an_alert(name: str) -> None:
    named = set(re.findall(r"\$\{runbooks\}/(\w+)\.md", documents()[name]))
    rules = "".join(path.read_text(encoding="utf-8") for path in RULES.glob("*.yaml"))
    assert named
    assert named - set(re.findall(r"- alert: (\w+)", rules)) == set()


@every_dashboard
def test_all_is_shown_where_there_are_no_namespaces(name: str) -> None:
    values = variables(DASHBOARDS[name])
    assert values["namespace"] == ".*"
    assert filled('up{namespace=~"$namespace"}', values) == 'up{namespace=~".*"}'


def test_variables_are_replaced_and_other_words_are_left_alone() -> None:
    values = {"task": ".*", "__range": "3600s"}
    assert filled('a{task=~"$task"}[$__range]', values) == 'a{task=~".*"}[3600s]'
    assert filled('label_replace(a, "b", "${1}xx", "c", "$2")', values) == (
        'label_replace(a, "b", "${1}xx", "c", "$2")'
    )
