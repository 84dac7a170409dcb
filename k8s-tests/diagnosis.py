"""What to read first when a test in a cluster has failed."""

from collections.abc import Iterator

import pytest

from kube import Kube
from workloads import WORKLOADS, Pod, unready, unready_containers

# the namespaces to look at when a test fails
WATCHED = pytest.StashKey[list[Kube]]()
EVENTS = 40
LOG_LINES = 20


def diagnose(kube: Kube) -> list[tuple[str, str]]:
    """Return titles and texts: events, workloads and pods, the last words of what is not ready."""
    try:
        return list(_findings(kube))
    except Exception as error:  # noqa: BLE001 - the report must not hide the failure that it explains
        return [(f"{kube.namespace} cannot be looked at", repr(error))]


def _findings(kube: Kube) -> Iterator[tuple[str, str]]:
    yield f"events in {kube.namespace}", "\n".join(kube.events()[-EVENTS:])
    lacking = [unready(item) for kind in WORKLOADS for item in kube.find(kind)]
    pods = kube.find("Pod")
    states = [line for line in lacking if line] + [str(Pod.of(item)) for item in pods]
    yield f"pods in {kube.namespace}", "\n".join(states)
    for item in pods:
        for container, previous in unready_containers(item):
            name = item["metadata"]["name"]
            yield f"log of {container} in {name}", _log(kube, name, container, previous=previous)


def _log(kube: Kube, pod: str, container: str, *, previous: bool) -> str:
    try:
        return kube.logs(pod, container, LOG_LINES, previous=previous)
    except Exception as error:  # noqa: BLE001 - as above
        return f"(no log: {error})"
