"""The alerts reach the cluster: rules with what was promised, and the labels by which they know who it is."""

import re
from typing import Any

import promql_parser as promql
import yaml

from app.metrics import LATENCY_BUCKETS
from chart.presets import PRESETS
from chart.rendering import CHART, NAMESPACE, render, schema
from docs.alerts import alerts
from docs.metric_uses import RULES
from worker.metrics import SECONDS_BUCKETS

MONITORED = {"monitoring": {"enabled": True}}
OWN = f'namespace="{NAMESPACE}"'


def rules(monitoring: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    manifests = render({"monitoring": {"enabled": True, **(monitoring or {})}})
    (document,) = manifests.of("PrometheusRule")
    groups: list[dict[str, Any]] = document["spec"]["groups"]
    return groups


def test_the_rules_reach_the_cluster_as_they_are_but_for_their_links_and_their_namespace() -> None:
    groups = [
        group
        for path in sorted(RULES.glob("*.yaml"))
        for group in yaml.safe_load(path.read_text(encoding="utf-8"))["groups"]
    ]
    rendered = yaml.safe_dump(rules({"runbooks": "https://wiki.example.com/runbooks/"}), width=10_000)
    for ours, plain in (("https://wiki.example.com/", "docs/"), (f"{{{OWN}}}", ""), (f"{OWN}, ", "")):
        assert ours in rendered
        rendered = rendered.replace(ours, plain)
    assert yaml.safe_load(rendered) == groups


def test_a_release_is_judged_by_its_own_series() -> None:
    found: list[promql.Expr] = []
    for rule in (rule for group in rules() for rule in group["rules"]):
        promql.walk(promql.parse(rule["expr"]), found.append)
    selectors = [node for node in found if isinstance(node, promql.VectorSelector)]
    assert selectors
    for selector in selectors:
        asked = [one.value for one in selector.matchers.matchers if one.name == "namespace"]
        assert asked == [NAMESPACE], selector.name


def test_every_alert_links_to_its_runbook_of_this_version_at_the_charts_home() -> None:
    chart = yaml.safe_load((CHART / "Chart.yaml").read_text(encoding="utf-8"))
    base = f"{chart['home']}/blob/v{chart['appVersion']}/docs/runbooks"
    links = re.findall(r"runbook_url: (\S+)", yaml.safe_dump(rules(), width=1000))
    assert set(links) == {f"{base}/{alert.name}.md" for alert in alerts()}
    assert base.startswith("https://")


def test_other_promises_reach_every_rule_that_holds_to_them() -> None:
    promised = {"apiErrors": 0.002, "apiSlow": 0.03, "apiSeconds": 1, "tasksLate": 0.04, "taskSeconds": 0.25}
    text = yaml.safe_dump(rules({"objectives": promised}), width=1000)
    ours = yaml.safe_dump(rules(), width=1000)
    for pattern, value in {
        r"api_errors:\S+ > [\d.]+ \* ([\d.]+)": "0.002",
        r"api_slow:\S+ > [\d.]+ \* ([\d.]+)": "0.03",
        r"tasks_late:\S+ > [\d.]+ \* ([\d.]+)": "0.04",
        r"http_request_duration_seconds_bucket\{le=~\"([\d.]+)\(": "1",
        r"task_accepted_to_done_seconds_bucket\{le=~\"([\d.]+)\(": "0.25",
    }.items():
        found = re.findall(pattern, text)
        assert set(found) == {value}, pattern
        assert len(found) == len(re.findall(pattern, ours)) >= 5


def test_the_seconds_that_can_be_promised_are_those_that_are_counted() -> None:
    objectives = schema()["properties"]["monitoring"]["properties"]["objectives"]["properties"]
    assert objectives["apiSeconds"]["enum"] == list(LATENCY_BUCKETS)
    assert objectives["taskSeconds"]["enum"] == list(SECONDS_BUCKETS)


def test_every_target_says_which_component_it_is() -> None:
    manifests = PRESETS["everything"].rendered()
    (pods,) = manifests.of("PodMonitor")
    label = "__meta_kubernetes_pod_label_app_kubernetes_io_component"
    for endpoint in pods["spec"]["podMetricsEndpoints"]:
        assert endpoint["relabelings"] == [{"sourceLabels": [label], "targetLabel": "conveyor_component"}]
    (flower,) = manifests.of("ServiceMonitor")
    (endpoint,) = flower["spec"]["endpoints"]
    assert endpoint["relabelings"] == [{"targetLabel": "conveyor_component", "replacement": "flower"}]


def test_the_rules_ask_for_components_that_there_are() -> None:
    asked = set(re.findall(r'conveyor_component="(\w+)"', "".join(alert.expression for alert in alerts())))
    pods = {pod.labels["app.kubernetes.io/component"] for pod in PRESETS["everything"].rendered().pods}
    assert asked - pods == {"haproxy"}, "of make up and compose.yaml alone"
