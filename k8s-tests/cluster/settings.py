"""What the tests install, and where."""

from typing import Any

RELEASE = "conveyor"
NAMESPACE = "conveyor-test"
# A lost task is found sooner, so that a test need not wait for it.
APPLICATION = {
    "TASK_LEASE_SECONDS": 15,
    "TASK_REDELIVERY_SECONDS": 20,
    "TASK_RETRY_DELAY_SECONDS": 2,
    "VISIBILITY_TIMEOUT_SECONDS": 20,
}


def restricted_namespace() -> dict[str, Any]:
    """Return a namespace that refuses pods that are not restricted."""
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": NAMESPACE, "labels": labels}
    return {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}


def release_values(image: str) -> dict[str, Any]:
    """Return what differs from the defaults; load must not bring pods that two cores cannot carry."""
    repository, _, tag = image.removeprefix("docker.io/library/").rpartition(":")
    return {
        "image": {"repository": repository, "tag": tag},
        "settings": APPLICATION,
        "api": {"autoscaling": {"minReplicas": 3, "maxReplicas": 3}},
        "workers": {"default": {"autoscaling": {"minReplicas": 2, "maxReplicas": 2}}},
        "flower": {"route": True},
        "migrations": {"seedDemoUsers": True},
    }


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Return the values with the changes laid over them, as Helm does with two files."""
    result = dict(values)
    for name, change in changes.items():
        old = result.get(name)
        result[name] = merged(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return result
