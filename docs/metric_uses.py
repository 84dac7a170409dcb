"""Who asks for which metric: alerts, dashboards and the pages of the API."""

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from docs.promql import metric_names

ROOT = Path(__file__).resolve().parent.parent
FILES = ROOT / "charts" / "conveyor" / "files"
RULES = FILES / "rules"
DASHBOARDS = FILES / "dashboards"
PAGES = ROOT / "app" / "dashboard"
VALUES_OF = re.compile(r"label_values\((.+?),\s*\w+\)")
# What others export; those that a local stack has are looked for in it by the tests.
ELSEWHERE = re.compile(r"up|ALERTS|(?:haproxy|flower|prometheus|scrape|kube|container|kubelet)_\w+")


def rules() -> Iterator[dict[str, Any]]:
    """Return every rule of every group."""
    for path in sorted(RULES.glob("*.yaml")):
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]:
            yield from group["rules"]


def recorded() -> set[str]:
    """Return the names under which rules record what they find."""
    return {rule["record"] for rule in rules() if "record" in rule}


def expressions() -> Iterator[tuple[str, str]]:
    """Return every expression with who asks."""
    for rule in rules():
        yield f"alert {rule['alert']}" if "alert" in rule else f"rule `{rule['record']}`", rule["expr"]
    for path in sorted(DASHBOARDS.glob("*.json")):
        dashboard = json.loads(path.read_text(encoding="utf-8"))
        for expression in (*_queries(dashboard), *_variables(dashboard)):
            yield f"dashboard {path.stem}", expression


def uses() -> Mapping[str, list[str]]:
    """Return for each name that is asked for who asks for it."""
    found: dict[str, list[str]] = {}
    for who, expression in expressions():
        for name in metric_names(expression):
            found.setdefault(name, []).append(who)
    return {name: list(dict.fromkeys(askers)) for name, askers in found.items()}


def pages_that_name(samples: frozenset[str]) -> list[str]:
    """Return the modules and templates of the API's pages that have one of the names in them."""
    named = re.compile(rf"\b(?:{'|'.join(sorted(samples))})\b")
    paths = sorted(path for path in PAGES.rglob("*") if path.suffix in {".py", ".html"})
    return [f"page {path.stem}" for path in paths if named.search(path.read_text(encoding="utf-8"))]


def _queries(panel: Mapping[str, Any]) -> Iterator[str]:
    """Find the queries of a dashboard, also those of rows and variables."""
    for target in panel.get("targets", ()):
        yield target["expr"]
    for inner in panel.get("panels", ()):
        yield from _queries(inner)


def _variables(dashboard: Mapping[str, Any]) -> Iterator[str]:
    """Find what the variables of a dashboard look for values in."""
    for variable in dashboard.get("templating", {}).get("list", ()):
        yield from VALUES_OF.findall(json.dumps(variable.get("query", "")))
