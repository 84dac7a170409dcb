"""The rules speak of Conveyor alone, whatever else their Prometheus watches."""

from collections.abc import Iterator

import promql_parser as promql

from docs.catalogue import catalogue
from docs.metric_uses import recorded, rules

# the components of those that export; all agents are beside a MySQL server
COMPONENTS = {"agent": "mysql", "agent in Kubernetes": "mysql"}
EXPORTERS = {
    name: {COMPONENTS.get(process, process) for process in entry.exported_by}
    for entry in catalogue()
    for name in entry.samples
}


def selectors() -> Iterator[promql.VectorSelector]:
    for rule in rules():
        nodes: list[promql.Expr] = []
        promql.walk(promql.parse(rule["expr"]), nodes.append)
        yield from (node for node in nodes if isinstance(node, promql.VectorSelector))


def test_every_series_is_asked_of_a_process_of_conveyor() -> None:
    asked = [selector for selector in selectors() if selector.name not in recorded()]
    assert len(asked) > 50
    for selector in asked:
        [component] = [one for one in selector.matchers.matchers if one.name == "conveyor_component"]
        assert (component.op == promql.MatchOp.Equal) == bool(component.value), selector.name


def test_every_series_is_asked_of_a_component_that_exports_it() -> None:
    for selector in selectors():
        for matcher in selector.matchers.matchers:
            if matcher.name == "conveyor_component" and matcher.value and selector.name in EXPORTERS:
                assert matcher.value in EXPORTERS[str(selector.name)], selector.name
