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


def test_the_sidecar_finds_every_dashboard() -> None:
    found = configmap("production")
    assert found["metadata"]["labels"]["grafana_dashboard"] == "1"
    written = {path.name: json.loads(path.read_text(encoding="utf-8")) for path in FILES}
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    runbooks = f"{chart['home']}/blob/v{chart['appVersion']}/docs/runbooks"
    assert all(runbooks in text for text in found["data"].values())
    shown = {name: text.replace(runbooks, "docs/runbooks") for name, text in found["data"].items()}
    assert {name: json.loads(text) for name, text in shown.items()} == written
    assert len(written) == 4


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
