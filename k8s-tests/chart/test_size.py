"""How large a machine the presets ask for."""

import pytest

from chart.manifests import Manifests
from chart.presets import PRESETS


def millicores(quantity: str) -> int:
    return int(quantity[:-1]) if quantity.endswith("m") else int(float(quantity) * 1000)


def mebibytes(quantity: str) -> int:
    return int(quantity[:-2]) * {"Mi": 1, "Gi": 1024}[quantity[-2:]]


def replicas(manifests: Manifests, owner: str) -> int:
    fewest = {
        f"Deployment/{scaler['spec']['scaleTargetRef']['name']}": scaler["spec"]["minReplicas"]
        for scaler in manifests.of("HorizontalPodAutoscaler")
    }
    return int(manifests.named()[owner]["spec"].get("replicas", fewest.get(owner, 1)))


def requested(manifests: Manifests) -> tuple[int, int]:
    """Return the millicores and MiB that all that stays requests, sidecars included."""
    cpu = memory = 0
    for pod in manifests.pods:
        if pod.owner.startswith(("Deployment", "StatefulSet")):
            for container in pod.containers:
                stays = container in pod.spec.containers or container.restart_policy == "Always"
                requests = (container.resources and container.resources.requests) or {}
                if stays:
                    cpu += millicores(requests["cpu"]) * replicas(manifests, pod.owner)
                    memory += mebibytes(requests["memory"]) * replicas(manifests, pod.owner)
    return cpu, memory


@pytest.mark.parametrize(("preset", "most_cpu", "most_memory"), [("default", 1500, 4096), ("dev", 500, 3200)])
def test_it_fits_on_two_cores_beside_a_control_plane(preset: str, most_cpu: int, most_memory: int) -> None:
    cpu, memory = requested(PRESETS[preset].rendered())
    assert cpu <= most_cpu
    assert memory <= most_memory
