"""Who asks for which metric: alerts and dashboards."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from docs.promql import metric_names
from grafana.generate import FOLDER
from grafana.live import Window, filled, queries, variables

ROOT = Path(__file__).resolve().parent.parent
RULES = FOLDER.parent / "rules"
VALUES_OF = re.compile(r"label_values\((.+?),\s*\w+\)")
# What others export; those that a local stack has are looked for in it by the tests.
ELSEWHERE = re.compile(r"up|ALERTS|(?:haproxy|flower|prometheus|scrape|kube|container|kubelet)_\w+")


class Asker(NamedTuple):
    """An alert, a dashboard, or a rule that records."""

    kind: str
    name: str


def rules() -> Iterator[dict[str, Any]]:
    """Return every rule of every group."""
    for path in sorted(RULES.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def recorded() -> set[str]:
    """Return the names under which rules record what they find."""
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> Iterator[tuple[Asker, str]]:
    """Return every expression with who asks."""
    for rule in rules():
        kind = "alert" if "alert" in rule else "record"
        yield Asker(kind, rule[kind]), rule["expr"]
    for path in sorted(FOLDER.glob("*.json")):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        values = {**variables(dashboard), **Window(0, 3600).built_in}
        asked = (query.expression for query in queries(dashboard))
        for expression in (*asked, *_choices(dashboard)):
            yield Asker("dashboard", path.stem), filled(expression, values)


def uses() -> Mapping[str, list[Asker]]:
    """Return for each name that is asked for who asks for it, be it through what a rule records of it."""
    found: dict[str, set[Asker]] = {}
    for who, expression in expressions():
        for name in metric_names(expression):
            found.setdefault(name, set()).add(who)
    return {name: sorted(_behind_records(askers, found)) for name, askers in found.items()}


def _behind_records(askers: Iterable[Asker], found: Mapping[str, set[Asker]]) -> set[Asker]:
    """Put those who ask for what is recorded in the place of the rule that records it."""
    behind: set[Asker] = set()
    for asker in askers:
        recorded_for = found.get(asker.name, set()) if asker.kind == "record" else set()
        behind |= _behind_records(recorded_for, found) if recorded_for else {asker}
    return behind


def _choices(dashboard: Mapping[str, Any]) -> Iterator[str]:
    """Find what the variables of a dashboard look for values in."""
    for variable in dashboard["templating"]["list"]:
        yield from VALUES_OF.findall(variable["query"])
