"""Alerts ask for metrics that exist, and Prometheus can read them."""

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from chart.presets import PRESETS
from chart.rendering import CHART, ROOT, render

RULES = CHART / "files" / "rules" / "conveyor.yaml"
WORDS_OF_PROMQL = {
    *(
        "sum",
        "max",
        "min",
        "count",
        "by",
        "on",
        "unless",
        "rate",
        "increase",
        "histogram_quantile",
        "le",
        "time",
    ),
    *("namespace", "pod", "queue", "reason", "task", "role", "status", "outcome", "route", "time"),
}


def rules() -> list[dict[str, Any]]:
    document = yaml.safe_load(RULES.read_text(encoding="utf-8"))
    return [rule for group in document["groups"] for rule in group["rules"]]


def expressions() -> Iterator[str]:
    for rule in rules():
        yield rule["expr"]


def metrics(expression: str) -> set[str]:
    bare = re.sub(r"\{[^}]*\}|\[[^]]*\]|\"[^\"]*\"|\b[\d.]+\b", " ", expression)
    return set(re.findall(r"[a-z_]{3,}", bare)) - WORDS_OF_PROMQL


def test_prometheus_reads_the_rules_and_the_alerts_fire_when_they_should(promtool: tuple[str, ...]) -> None:
    tests = Path(__file__).parent / "alerts.yaml"
    for command in (["check", "rules", str(RULES)], ["test", "rules", str(tests)]):
        result = subprocess.run(
            [*promtool, *command], capture_output=True, text=True, timeout=60, check=False, cwd=ROOT
        )
        assert result.returncode == 0, result.stdout + result.stderr


def test_every_alert_is_seen_to_fire() -> None:
    text = (Path(__file__).parent / "alerts.yaml").read_text(encoding="utf-8")
    fired = set(re.findall(r'alertname="(\w+)"', text))
    assert fired == {rule["alert"] for rule in rules()}


def test_every_metric_that_is_asked_for_is_measured() -> None:
    code = "".join(
        path.read_text(encoding="utf-8")
        for package in ("app", "worker", "mysql_agent")
        for path in (ROOT / package).rglob("*.py")
    )
    asked = {metric for expression in expressions() for metric in metrics(expression)}
    assert len(asked) > 20
    for metric in asked:
        name = re.sub(r"_(bucket|sum|count)$", "", metric)
        assert f'"{name}"' in code or f'"{name.removesuffix("_total")}"' in code, metric


def test_every_metric_worth_an_alert_has_one() -> None:
    text = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8").partition("Worth an alert")[2]
    rows = [line.split("|") for line in text.partition("## ")[0].splitlines() if line.startswith("| `")]
    # their threshold is what one promises to one's own users
    yours = {"task_queue_wait_seconds", "task_duration_seconds"}
    worth = {name.partition("{")[0] for row in rows for name in re.findall(r"`([^`]+)`", row[1])} - yours
    alerted = {metric for rule in rules() for metric in metrics(rule["expr"])}
    assert worth - alerted == set()


def test_every_alert_says_what_and_where() -> None:
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning"}
        assert rule["annotations"]["summary"]
        assert "$labels" in rule["annotations"]["description"], rule["alert"]


def test_the_rules_reach_the_cluster_as_they_are() -> None:
    (rule,) = PRESETS["production"].rendered().of("PrometheusRule")
    assert rule["spec"] == yaml.safe_load(RULES.read_text(encoding="utf-8"))


def test_monitors_and_rules_carry_the_labels_by_which_prometheus_looks() -> None:
    manifests = PRESETS["everything"].rendered()
    for kind in ("PodMonitor", "ServiceMonitor", "PrometheusRule"):
        for document in manifests.of(kind):
            assert document["metadata"]["labels"]["release"] == "prometheus"


def test_a_plain_cluster_needs_nothing_of_the_prometheus_operator() -> None:
    manifests = render(apis=())
    assert {document["apiVersion"] for document in manifests.documents} == {
        *("v1", "apps/v1", "autoscaling/v2", "batch/v1", "networking.k8s.io/v1", "policy/v1"),
        "rbac.authorization.k8s.io/v1",
    }
