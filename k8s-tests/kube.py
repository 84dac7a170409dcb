"""A namespace of a cluster with kubectl's verbs; the tests' only module that imports the client."""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from kubernetes.client import ApiClient, CoreV1Api, V1Eviction, V1ObjectMeta
from kubernetes.client.exceptions import ApiException
from kubernetes.config import new_client_from_config
from kubernetes.dynamic import DynamicClient
from kubernetes.stream import portforward, stream
from kubernetes.utils import parse_quantity

from forwarding import listen

REQUEST_SECONDS = 30
NOT_FOUND, TOO_MANY_REQUESTS = 404, 429
FIELD_MANAGER = "conveyor-tests"
API_VERSIONS = {
    "CronJob": "batch/v1",
    "Deployment": "apps/v1",
    "HorizontalPodAutoscaler": "autoscaling/v2",
    "Ingress": "networking.k8s.io/v1",
    "Job": "batch/v1",
    "Lease": "coordination.k8s.io/v1",
    "NetworkPolicy": "networking.k8s.io/v1",
    "PodDisruptionBudget": "policy/v1",
    "PodMetrics": "metrics.k8s.io/v1beta1",
    "Role": "rbac.authorization.k8s.io/v1",
    "RoleBinding": "rbac.authorization.k8s.io/v1",
    "StatefulSet": "apps/v1",
}

Object = dict[str, Any]


class ExecError(Exception):
    """A command in a container ended with an error, or not in time."""


@dataclass(frozen=True)
class Usage:
    """What a pod's containers used over the seconds before a moment."""

    at: datetime
    cores: Decimal
    memory_bytes: Decimal


def total(quantities: Iterable[str]) -> Decimal:
    """Add up Kubernetes' notations of amounts, for example `100m` and `64Mi`."""
    return sum(map(parse_quantity, quantities), Decimal(0))


class _TimedClient(ApiClient):
    """Gives every request a deadline."""

    def call_api(self, *request: Any, **options: Any) -> Any:  # noqa: ANN401 - as the client's own
        options["_request_timeout"] = options.get("_request_timeout") or REQUEST_SECONDS
        return super().call_api(*request, **options)


class Kube:
    """One namespace; nodes are seen from each."""

    def __init__(self, kubeconfig: Path, context: str | None, namespace: str, discovery: Path) -> None:
        loaded = new_client_from_config(config_file=str(kubeconfig), context=context)
        self._configuration = loaded.configuration
        client = _TimedClient(self._configuration)
        self._core = CoreV1Api(client)
        discovery.parent.mkdir(parents=True, exist_ok=True)
        discovery.unlink(missing_ok=True)  # it may tell of a cluster that is no longer there
        self._dynamic = DynamicClient(client, cache_file=str(discovery))
        self.namespace = namespace

    def get(self, kind: str, name: str) -> Object | None:
        try:
            found: Object = self._resource(kind).get(name=name, namespace=self.namespace).to_dict()
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise
            return None
        return found

    def find(self, kind: str, selector: str = "", fields: str = "") -> list[Object]:
        """List objects by the selectors of their labels and their fields."""
        found = self._resource(kind).get(
            namespace=self.namespace, label_selector=selector or None, field_selector=fields or None
        )
        items: list[Object] = found.to_dict()["items"]
        return items

    def apply(self, *manifests: Mapping[str, Any]) -> None:
        for manifest in manifests:
            self._dynamic.server_side_apply(
                self._resource(manifest["kind"], manifest["apiVersion"]),
                dict(manifest),
                namespace=self.namespace,
                field_manager=FIELD_MANAGER,
            )

    def patch(self, kind: str, name: str, change: Mapping[str, Any]) -> None:
        merge = "application/merge-patch+json"
        resource = self._resource(kind)
        resource.patch(name=name, namespace=self.namespace, body=dict(change), content_type=merge)

    def scale(self, kind: str, name: str, replicas: int) -> None:
        self.patch(kind, name, {"spec": {"replicas": replicas}})

    def delete(self, kind: str, name: str, grace_seconds: int | None = None) -> None:
        """Ask for the end of an object and of what it owns; one that is gone already is no error."""
        options = {"propagationPolicy": "Foreground"} | (
            {} if grace_seconds is None else {"gracePeriodSeconds": grace_seconds}
        )
        try:
            self._resource(kind).delete(name=name, namespace=self.namespace, body=options)
        except ApiException as error:
            if error.status != NOT_FOUND:
                raise

    def exec(self, pod: str, container: str, *command: str, timeout_seconds: float = 60) -> str:
        """Run a command and return what it wrote to its standard output.

        Raises:
            ExecError: with what it wrote.
        """
        running = stream(
            self._own_core().connect_get_namespaced_pod_exec,
            pod,
            self.namespace,
            container=container,
            command=list(command),
            stdout=True,
            stderr=True,
            _preload_content=False,
            _request_timeout=REQUEST_SECONDS,
        )
        try:
            running.run_forever(timeout=timeout_seconds)
            output: str = running.read_stdout(timeout=0)
            if running.returncode != 0:
                written = f"{output}{running.read_stderr(timeout=0)}".strip()
                raise ExecError(f"{pod}: {' '.join(command)} ended with {running.returncode}: {written}")
        finally:
            running.close()
            running.sock.shutdown()  # left open where the server has closed first
        return output

    def logs(self, pod: str, container: str, lines: int = 20, *, previous: bool = False) -> str:
        text: str = self._core.read_namespaced_pod_log(
            pod, self.namespace, container=container, tail_lines=lines, previous=previous
        )
        return text

    def forward(self, pod: str, port: int) -> AbstractContextManager[int]:
        """Lead a port of this machine to a port of a pod; gives the port here."""

        def connect() -> Any:  # noqa: ANN401 - a socket in all but type
            open_port = self._own_core().connect_get_namespaced_pod_portforward
            return portforward(open_port, pod, self.namespace, ports=str(port)).socket(port)

        return listen(connect)

    def cordon(self, node: str, *, cordoned: bool = True) -> None:
        self.patch("Node", node, {"spec": {"unschedulable": cordoned}})

    def evict(self, pod: str) -> bool:
        """Return whether the pod's disruption budget lets it go, or it is gone."""
        body = V1Eviction(metadata=V1ObjectMeta(name=pod, namespace=self.namespace))
        try:
            self._core.create_namespaced_pod_eviction(pod, self.namespace, body)
        except ApiException as error:
            if error.status == TOO_MANY_REQUESTS:
                return False
            if error.status != NOT_FOUND:
                raise
        return True

    def events(self) -> list[str]:
        """Tell the events of this namespace, the last one at the end."""
        found = sorted(self.find("Event"), key=lambda event: str(event["metadata"]["creationTimestamp"]))
        return [
            f"{event['metadata']['creationTimestamp']} {event['type']} {event['reason']} "
            f"{event['involvedObject']['kind']}/{event['involvedObject']['name']}: {event['message'].strip()}"
            for event in found
        ]

    def top(self) -> dict[str, Usage]:
        """Measure the pods, as far as the cluster has measured them."""
        return {
            item["metadata"]["name"]: Usage(
                datetime.fromisoformat(item["timestamp"]),
                total(one["usage"]["cpu"] for one in item["containers"]),
                total(one["usage"]["memory"] for one in item["containers"]),
            )
            for item in self.find("PodMetrics")
        }

    def _own_core(self) -> CoreV1Api:
        """Return a client of its own: opening a stream changes the client for that long."""
        return CoreV1Api(ApiClient(self._configuration))

    def _resource(self, kind: str, api_version: str = "") -> Any:  # noqa: ANN401 - the client has no types
        wanted = api_version or API_VERSIONS.get(kind, "v1")
        return self._dynamic.resources.get(kind=kind, api_version=wanted)
