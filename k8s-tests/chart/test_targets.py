"""Whatever points to something finds it: Services, routes, probes, scalers, budgets, monitors."""

from collections.abc import Iterator

import pytest
from kubernetes.client import V1Container, V1HTTPGetAction, V1Probe

from chart.manifests import Document, Manifests, Pod
from chart.presets import PRESETS
from chart.rendering import render


def selected(manifests: Manifests, selector: dict[str, str]) -> list[Pod]:
    """Find pods by labels; the label of a MySQL role is given by the agents later."""
    wanted = {key: value for key, value in selector.items() if key != "conveyor/mysql-role"}
    return [pod for pod in manifests.pods if wanted.items() <= pod.labels.items()]


def port_names(pods: list[Pod]) -> set[str]:
    return {str(port.name) for pod in pods for container in pod.containers for port in container.ports or []}


def container_ports(pods: list[Pod]) -> set[int]:
    return {
        port.container_port for pod in pods for container in pod.containers for port in container.ports or []
    }


def test_every_service_leads_to_a_port_of_pods(manifests: Manifests) -> None:
    for service in manifests.of("Service"):
        pods = selected(manifests, service["spec"]["selector"])
        assert {pod.owner.partition("/")[0] for pod in pods} <= {"Deployment", "StatefulSet"}
        assert pods, service["metadata"]["name"]
        for port in service["spec"]["ports"]:
            assert port["targetPort"] in port_names(pods), service["metadata"]["name"]


def test_every_workload_selects_its_own_pods_and_no_others(manifests: Manifests) -> None:
    for kind in ("Deployment", "StatefulSet"):
        for workload in manifests.of(kind):
            pods = selected(manifests, workload["spec"]["selector"]["matchLabels"])
            assert [pod.owner for pod in pods] == [f"{kind}/{workload['metadata']['name']}"]


def test_every_stateful_set_has_its_service(manifests: Manifests) -> None:
    services = {service["metadata"]["name"] for service in manifests.of("Service")}
    assert {workload["spec"]["serviceName"] for workload in manifests.of("StatefulSet")} <= services


def backends(manifests: Manifests) -> Iterator[tuple[str, object]]:
    for ingress in manifests.of("Ingress"):
        for rule in ingress["spec"]["rules"]:
            for path in rule["http"]["paths"]:
                service = path["backend"]["service"]
                yield service["name"], service["port"]["name"]
    for route in manifests.of("HTTPRoute"):
        for rule in route["spec"]["rules"]:
            for backend in rule["backendRefs"]:
                yield backend["name"], backend["port"]


def test_every_route_leads_to_a_port_of_a_service(manifests: Manifests) -> None:
    ports = {
        (service["metadata"]["name"], port[key])
        for service in manifests.of("Service")
        for port in service["spec"]["ports"]
        for key in ("name", "port")
    }
    assert set(backends(manifests)) <= ports


def test_every_probe_asks_a_port_of_its_pod(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            for action in http_actions(container):
                if isinstance(action.port, str):
                    assert action.port in {port.name for port in container.ports or []}, pod.owner
                else:
                    assert action.port in container_ports([pod]), pod.owner


def http_actions(container: V1Container) -> Iterator[V1HTTPGetAction]:
    probes = (container.startup_probe, container.readiness_probe, container.liveness_probe)
    for probe in probes:
        if isinstance(probe, V1Probe) and probe.http_get:
            yield probe.http_get


def targets(manifests: Manifests) -> Iterator[Document]:
    for scaler in (*manifests.of("HorizontalPodAutoscaler"), *manifests.of("ScaledObject")):
        yield scaler["spec"]["scaleTargetRef"]


def test_every_scaler_leads_to_a_deployment(manifests: Manifests) -> None:
    for target in targets(manifests):
        assert f"Deployment/{target['name']}" in manifests.named()


def test_every_budget_covers_one_workload(manifests: Manifests) -> None:
    covered = [
        pod.owner
        for budget in manifests.of("PodDisruptionBudget")
        for pod in selected(manifests, budget["spec"]["selector"]["matchLabels"])
    ]
    assert len(covered) == len(set(covered)) == len(manifests.of("PodDisruptionBudget"))


def test_every_monitor_asks_a_port_that_is_there(manifests: Manifests) -> None:
    for monitor in manifests.of("PodMonitor"):
        pods = selected(manifests, monitor["spec"]["selector"]["matchLabels"])
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            assert endpoint["port"] in port_names(pods)
    for monitor in manifests.of("ServiceMonitor"):
        labels = monitor["spec"]["selector"]["matchLabels"]
        ports = {
            port["name"]
            for service in manifests.of("Service")
            if labels.items() <= service["metadata"]["labels"].items()
            for port in service["spec"]["ports"]
        }
        assert {endpoint["port"] for endpoint in monitor["spec"]["endpoints"]} <= ports


def test_the_metrics_of_every_process_are_asked_for() -> None:
    manifests = PRESETS["everything"].rendered()
    asked = {"metrics", "agent"}
    for component in ("api", "worker", "relay", "mysql"):
        assert port_names(manifests.pods_of(component)) & asked, component


@pytest.mark.parametrize("release", ["demo", "conveyor", "my-conveyor", "a" * 53])
def test_no_name_is_too_long_for_what_kubernetes_appends(release: str) -> None:
    manifests = render({"backup": {"enabled": True}}, release=release)
    longest = {"StatefulSet": 52, "CronJob": 52, "Job": 63, "Deployment": 52, "Service": 63, "Pod": 63}
    for document in manifests.documents:
        name = document["metadata"]["name"]
        assert len(name) <= longest.get(document["kind"], 63), name
        assert name == name.strip("-")


def test_a_release_called_after_the_chart_does_not_say_so_twice() -> None:
    assert "Service/conveyor-api" in render(release="conveyor").named()
    assert "Service/demo-conveyor-api" in render(release="demo").named()
