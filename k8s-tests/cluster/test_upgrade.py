"""Upgrades and rollbacks, seen by those who use the system meanwhile."""

from collections.abc import Mapping
from typing import Any

from cluster.load import Load
from cluster.settings import merged
from kube import Kube
from release import Release, Values

KINDS = (
    "ConfigMap",
    "Deployment",
    "HorizontalPodAutoscaler",
    "Ingress",
    "Job",
    "NetworkPolicy",
    "PodDisruptionBudget",
    "Role",
    "RoleBinding",
    "Secret",
    "Service",
    "ServiceAccount",
    "StatefulSet",
)
ROLLED = ("api", "relay", "worker")
CHANGE = {
    "settings": {"LOG_LEVEL": "WARNING"},
    "api": {"podAnnotations": {"example.com/change": "1"}},
}


def fingerprint(kube: Kube) -> dict[str, Any]:
    """Tell of every object what changes with it, but not with its status."""
    return {
        f"{kind}/{item['metadata']['name']}": (item["metadata"]["uid"], _version(item))
        for kind in KINDS
        for item in kube.find(kind)
        if item.get("type") != "helm.sh/release.v1"
    }


def pods(release: Release, *components: str) -> dict[str, tuple[str, int]]:
    return {
        pod.name: (pod.uid, pod.restarts)
        for pod in release.pods()
        if not components or pod.component in components
    }


def test_an_upgrade_that_changes_nothing_touches_nothing(
    release: Release, kube: Kube, values: Values
) -> None:
    objects, running, revision = fingerprint(kube), pods(release), release.revision()
    release.upgrade(values)
    assert release.revision() == revision + 1
    assert fingerprint(kube) == objects
    assert pods(release) == running


def test_an_upgrade_under_load_fails_no_request_and_loses_no_task(
    release: Release, values: Values, load: Load, figures: dict[str, str]
) -> None:
    before = pods(release, *ROLLED)
    with load.running() as traffic:
        load.wait_for(accepted=10)
        release.upgrade(merged(values, CHANGE))
        release.wait_settled()
        load.wait_for(accepted=10)
    figures["upgrade under load"] = str(traffic)
    assert [component for component in ROLLED if release.imbalance(component) > 1] == []
    assert pods(release, *ROLLED).keys().isdisjoint(before)
    assert traffic.failures == []


def test_a_rollback_under_load_fails_no_request_and_loses_no_task(
    release: Release, values: Values, load: Load, figures: dict[str, str]
) -> None:
    if "LOG_LEVEL" not in _settings(release):  # as the test above has left it
        release.upgrade(merged(values, CHANGE))
    with load.running() as traffic:
        load.wait_for(accepted=10)
        release.rollback(release.revision() - 1)
        release.wait_settled()
        load.wait_for(accepted=10)
    figures["rollback under load"] = str(traffic)
    assert "LOG_LEVEL" not in _settings(release)
    assert traffic.failures == []


def _settings(release: Release) -> Mapping[str, str]:
    found = release.kube.get("ConfigMap", release.component("settings"))
    assert found
    data: Mapping[str, str] = found["data"]
    return data


def _version(item: Mapping[str, Any]) -> object:
    """Return what changes with an object, but not with its status."""
    metadata = item["metadata"]
    if "generation" in metadata:
        return metadata["generation"]
    return item["spec"] if "status" in item else metadata["resourceVersion"]
