"""What Kubernetes' objects say about themselves, in words."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

WORKLOADS = ("Deployment", "StatefulSet", "Job")


@dataclass(frozen=True)
class Pod:
    """The part of a pod that the tests look at."""

    name: str
    uid: str
    node: str
    component: str
    ready: bool
    restarts: int
    trouble: str

    @classmethod
    def of(cls, item: dict[str, Any]) -> Self:
        metadata, status = item["metadata"], item["status"]
        return cls(
            metadata["name"],
            metadata["uid"],
            item["spec"].get("nodeName", ""),
            metadata.get("labels", {}).get("app.kubernetes.io/component", ""),
            is_true(status, "Ready"),
            sum(one["restartCount"] for one in _containers(status)),
            "; ".join(_troubles(status)),
        )

    def __str__(self) -> str:
        state = "ready" if self.ready else self.trouble or "not ready"
        return f"{self.name} on {self.node or 'no node'}, {self.restarts} restarts: {state}"


def is_ending(item: dict[str, Any]) -> bool:
    return "deletionTimestamp" in item["metadata"]


def is_true(status: dict[str, Any], condition: str) -> bool:
    return any(one["type"] == condition and one["status"] == "True" for one in status.get("conditions", ()))


def unready(item: dict[str, Any]) -> str:
    """Say what a workload still lacks; nothing where it is as it should be."""
    name, spec, status = f"{item['kind']}/{item['metadata']['name']}", item["spec"], item.get("status", {})
    if item["kind"] == "Job":
        return "" if status.get("succeeded") else f"{name} has not succeeded"
    if status.get("observedGeneration", 0) < item["metadata"]["generation"]:
        return f"{name}: its controller has not seen the last change"
    wanted = spec.get("replicas", 1)
    counts = {
        "ready": status.get("readyReplicas", 0),
        "of this revision": status.get("updatedReplicas", 0),
        "in all": status.get("replicas", 0),
    }
    if set(counts.values()) == {wanted}:
        return ""
    return f"{name}: {', '.join(f'{count} {what}' for what, count in counts.items())}, wanted {wanted}"


def unready_containers(item: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Give the containers that ran and are not ready, and whether an earlier run has the last words."""
    for one in _containers(item["status"]):
        ended_well = one.get("state", {}).get("terminated", {}).get("exitCode") == 0
        if one.get("ready") or ended_well or not one.get("containerID"):
            continue
        yield one["name"], "waiting" in one.get("state", {}) and one["restartCount"] > 0


def _containers(status: dict[str, Any]) -> list[dict[str, Any]]:
    return [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]


def _troubles(status: dict[str, Any]) -> Iterator[str]:
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] != "True":
            yield condition.get("message", "not scheduled")
    for one in _containers(status):
        waiting = one.get("state", {}).get("waiting", {})
        ended = one.get("lastState", {}).get("terminated") or one.get("state", {}).get("terminated", {})
        if waiting.get("reason") not in {None, "PodInitializing", "ContainerCreating"}:
            yield f"{one['name']} {waiting['reason']} {waiting.get('message', '')}".strip()
        if ended.get("exitCode"):
            yield f"{one['name']} ended with {ended['exitCode']} ({ended.get('reason', '')})"
