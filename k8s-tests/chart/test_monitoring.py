"""Prometheus finds what there is, and a cluster without it is asked for nothing."""

from chart.presets import PRESETS
from chart.rendering import render


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
