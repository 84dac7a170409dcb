"""What an installation asks a cluster for is what the chart's README says."""

import re
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from kubernetes.client import V1Container
from kubernetes.utils.quantity import parse_quantity

from chart.manifests import Document, Manifests
from chart.presets import PRESETS
from chart.rendering import CHART

README = CHART / "README.md"
MEBIBYTE = 1024 * 1024
RUNNING = ("Deployment", "StatefulSet")
Amounts = tuple[Decimal, Decimal, Decimal]  # CPU and memory that are requested, memory that may be used


def documented(preset: str) -> dict[str, str]:
    """Return the rows of the README's table of that preset: pods, then amounts, by component."""
    section = README.read_text(encoding="utf-8").partition("<!-- footprint -->")[2].partition("\n\n<!--")[0]
    rows = re.findall(rf"^\| {preset} \| ([\w ]+) \| (.*) \|$", section, re.MULTILINE)
    return dict(rows)


def least_pods(manifests: Manifests, document: Document) -> int:
    """Return how many there are at rest, also where an autoscaler decides that."""
    scaled = {
        scaler["spec"]["scaleTargetRef"]["name"]: int(scaler["spec"]["minReplicas"])
        for scaler in manifests.of("HorizontalPodAutoscaler")
    }
    return scaled.get(document["metadata"]["name"], int(document["spec"].get("replicas", 1)))


def of_containers(containers: Iterable[V1Container]) -> Amounts:
    cpu = memory = limit = Decimal(0)
    for container in containers:
        resources: Any = container.resources
        cpu += parse_quantity(resources.requests["cpu"])
        memory += parse_quantity(resources.requests["memory"])
        limit += parse_quantity(resources.limits["memory"])
    return cpu, memory, limit


def footprint(manifests: Manifests) -> dict[str, str]:
    found: dict[str, tuple[int, Amounts]] = {}
    for document in (document for kind in RUNNING for document in manifests.of(kind)):
        owner = f"{document['kind']}/{document['metadata']['name']}"
        [pod] = [pod for pod in manifests.pods if pod.owner == owner]
        sidecars = [one for one in pod.spec.init_containers or [] if one.restart_policy == "Always"]
        pods = least_pods(manifests, document)
        amounts = of_containers([*sidecars, *pod.spec.containers])
        found[pod.component] = (pods, (amounts[0] * pods, amounts[1] * pods, amounts[2] * pods))
    columns = zip(*(amounts for _, amounts in found.values()), strict=True)
    cpu, memory, limit = map(sum, columns)
    found["all"] = (sum(pods for pods, _ in found.values()), (Decimal(cpu), Decimal(memory), Decimal(limit)))
    return {component: shown(*amounts) for component, amounts in found.items()}


def shown(pods: int, amounts: Amounts) -> str:
    cpu, memory, limit = amounts
    return f"{pods} | {cpu * 1000:.0f}m | {memory / MEBIBYTE:.0f}Mi | {limit / MEBIBYTE:.0f}Mi"


@pytest.mark.parametrize("preset", ["default", "dev", "production"])
def test_the_readme_tells_what_each_part_requests(preset: str) -> None:
    actual = footprint(PRESETS[preset].rendered())
    table = "\n".join(f"| {preset} | {component} | {row} |" for component, row in actual.items())
    assert documented(preset) == actual, f"the table should have:\n{table}"
