"""Grafana's sidecar finds the dashboards, and Prometheus can read what they ask."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from chart.presets import PRESETS
from chart.rendering import CHART, render
from grafana.live import Window, filled, queries, variables

FILES = sorted((CHART / "files" / "dashboards").glob("*.json"))
# `kubectl apply` writes an object into an annotation of itself, and that may have no more
LARGEST = 256 * 1024


def configmap(preset: str) -> dict[str, Any]:
    [found] = (
        document
        for document in PRESETS[preset].rendered().of("ConfigMap")
        if document["metadata"]["name"].endswith("-dashboards")
    )
    return found


def constants(dashboard: dict[str, Any]) -> dict[str, str]:
    """Take what the chart replaces out of a dashboard."""
    listed = dashboard["templating"]["list"]
    return {one["name"]: one.pop("query") for one in listed if one["type"] == "constant"}


def test_the_sidecar_finds_every_dashboard() -> None:
    found = configmap("production")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert set(found["data"]) == {path.name for path in FILES}
    assert len(FILES) == 4


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_dashboard_reaches_the_cluster_with_the_values_of_the_release(path: Path) -> None:
    written = json.loads(path.read_text(encoding="utf-8"))
    rendered = json.loads(configmap("production")["data"][path.name])
    assert constants(written) == {"runbooks": "docs/runbooks", "task_seconds": "60"}
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    runbooks = f"{chart['home']}/blob/v{chart['appVersion']}/docs/runbooks"
    assert constants(rendered) == {"runbooks": runbooks, "task_seconds": "60"}
    assert rendered == written


def test_links_and_promises_are_those_of_the_values() -> None:
    values = {"dashboards": True, "runbooks": "https://wiki.example/", "objectives": {"taskSeconds": 0.5}}
    [found] = (
        one for one in render({"monitoring": values}).of("ConfigMap") if "conveyor-redis.json" in one["data"]
    )
    shown = constants(json.loads(found["data"]["conveyor-overview.json"]))
    assert shown == {"runbooks": "https://wiki.example", "task_seconds": "0.5"}


def test_they_fit_into_one_object() -> None:
    assert len(json.dumps(configmap("production"))) < LARGEST


def test_one_label_can_take_the_place_of_another() -> None:
    labels = {"dashboards": True, "dashboardLabels": {"folder": "tasks"}}
    [found] = (
        one for one in render({"monitoring": labels}).of("ConfigMap") if "conveyor-redis.json" in one["data"]
    )
    assert found["metadata"]["labels"]["folder"] == "tasks"


def test_there_are_none_unless_they_are_asked_for() -> None:
    names = [document["metadata"]["name"] for document in render({}).of("ConfigMap")]
    assert [name for name in names if "dashboard" in name] == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_prometheus_reads_every_query(path: Path, promtool: tuple[str, ...], tmp_path: Path) -> None:
    dashboard = json.loads(path.read_text(encoding="utf-8"))
    values = {**variables(dashboard), **Window(start=0, end=3600).built_in}
    rules = [
        {"record": f"query:{number}", "expr": filled(query.expression, values)}
        for number, query in enumerate(queries(dashboard))
    ]
    file = tmp_path / "rules.yaml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}), encoding="utf-8")
    result = subprocess.run(
        [*promtool, "check", "rules", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    assert result.returncode == 0, result.stdout + result.stderr
    assert f"{len(rules)} rules found" in result.stdout
