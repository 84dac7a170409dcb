"""What an installation with hardly any values gives."""

import base64
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from statistics import mean
from typing import Any

import pytest

from kube import Kube, Usage, total
from release import CHART, Release
from waiting import NotYetError, eventually

# longer than the time over which one measurement goes: the start is no part of it then
REST_SECONDS = 30
MEASURED_SECONDS = 120
MEBIBYTE = 1024 * 1024


def test_nothing_had_to_be_restarted(release: Release) -> None:
    assert [str(pod) for pod in release.pods() if pod.restarts] == []


def test_the_kernel_looks_for_clients_of_mysql_that_are_gone(release: Release, kube: Kube) -> None:
    for pod in release.pods("mysql"):
        seconds = kube.exec(pod.name, "mysql", "cat", "/proc/sys/net/ipv4/tcp_keepalive_time")
        assert int(seconds) < 60


@pytest.mark.parametrize("component", ["api", "mysql", "relay", "worker"])
def test_the_pods_of_a_component_are_spread_over_the_nodes(release: Release, component: str) -> None:
    assert len(release.pods(component)) >= 2
    assert release.imbalance(component) <= 1


def test_no_password_can_be_read_from_a_pod_or_a_configmap(release: Release, kube: Kube) -> None:
    secret = kube.get("Secret", release.component("credentials"))
    assert secret
    passwords = {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}
    assert len(passwords) == 7
    described = str([kube.find(kind) for kind in ("Pod", "Deployment", "StatefulSet", "Job", "ConfigMap")])
    assert [key for key, password in passwords.items() if password in described] == []


def test_memory_and_idle_cpu_are_measured(release: Release, kube: Kube, figures: dict[str, str]) -> None:
    rested = datetime.now(UTC) + timedelta(seconds=REST_SECONDS)

    def measured() -> dict[str, Usage]:
        usages, pods = kube.top(), release.pods()
        if missing := [pod.name for pod in pods if pod.name not in usages or usages[pod.name].at < rested]:
            raise NotYetError(f"not measured yet: {', '.join(missing)}")
        return {pod.name: usages[pod.name] for pod in pods}

    used = eventually("the metrics server has measured every pod at rest", measured, MEASURED_SECONDS)
    running = [item for item in kube.find("Pod", release.selector()) if item["status"]["phase"] == "Running"]
    requested = total(amount for item in running for amount in _memory_requests(item["spec"]))
    memory = sum(one.memory_bytes for one in used.values())
    figures["memory"] = f"{requested / MEBIBYTE:.0f} MiB requested, {memory / MEBIBYTE:.0f} MiB used"
    figures["memory of a pod"] = ", ".join(
        f"{component} {mean(sizes) / MEBIBYTE:.0f} MiB"
        for component, sizes in _by_component(running, used).items()
    )
    figures["CPU at rest"] = f"{sum(one.cores for one in used.values()) * 100:.0f} % of one core"
    assert 0 < memory < 8192 * MEBIBYTE


def test_the_chart_is_small(figures: dict[str, str]) -> None:
    templates = sum(_lines(path) for path in (CHART / "templates").rglob("*") if path.is_file())
    values = _lines(CHART / "values.yaml")
    figures["chart"] = f"{templates} lines of templates, {values} of values"
    assert templates <= 2200
    assert values <= 500


def _by_component(pods: Iterable[dict[str, Any]], used: Mapping[str, Usage]) -> dict[str, list[Decimal]]:
    sizes: dict[str, list[Decimal]] = {}
    for metadata in (pod["metadata"] for pod in pods):
        component = metadata["labels"]["app.kubernetes.io/component"]
        sizes.setdefault(component, []).append(used[metadata["name"]].memory_bytes)
    return sizes


def _memory_requests(spec: dict[str, Any]) -> Iterator[str]:
    """Give what the containers ask for that run as long as the pod does."""
    sidecars = [one for one in spec.get("initContainers", ()) if one.get("restartPolicy") == "Always"]
    for container in [*spec["containers"], *sidecars]:
        yield container["resources"]["requests"]["memory"]


def _lines(path: Path) -> int:
    return len(path.read_text(encoding="utf-8").splitlines())
