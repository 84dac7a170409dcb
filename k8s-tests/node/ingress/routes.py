"""What Ingress objects, Services and EndpointSlices say, as routes to addresses. Pure."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]


@dataclass(frozen=True, order=True)
class Backend:
    """A port of a Service, by the port's name or number as the Ingress has it."""

    namespace: str
    service: str
    port: str

    @property
    def name(self) -> str:
        return f"{self.namespace}_{self.service}_{self.port}"


@dataclass(frozen=True)
class Route:
    host: str  # "" for any, "*.example.org" for one label before the rest
    path: str
    exact: bool
    backend: Backend

    @property
    def precedence(self) -> tuple[bool, bool, int, bool]:
        """Sort key: named hosts before wildcards before any, then the longest path, exact ones first."""
        return (self.host == "", self.host.startswith("*"), -len(self.path), not self.exact)


@dataclass(frozen=True)
class Observed:
    """The objects of the cluster at one time, as the API server lists them."""

    ingresses: tuple[Resource, ...]
    services: tuple[Resource, ...]
    slices: tuple[Resource, ...]


def routes(observed: Observed, ingress_class: str) -> tuple[Route, ...]:
    """Return the routes of all Ingresses of the class, the most specific first."""
    found = {
        route
        for ingress in observed.ingresses
        if ingress["spec"].get("ingressClassName") == ingress_class
        for route in _routes_of(ingress)
    }
    return tuple(sorted(found, key=lambda route: (route.precedence, route.host, route.path, route.backend)))


def _routes_of(ingress: Resource) -> Iterator[Route]:
    namespace, spec = ingress["metadata"]["namespace"], ingress["spec"]
    if default := spec.get("defaultBackend", {}).get("service"):
        yield Route("", "/", exact=False, backend=_backend(namespace, default))
    for rule in spec.get("rules", []):
        for path in rule.get("http", {}).get("paths", []):
            if service := path["backend"].get("service"):
                exact = path["pathType"] == "Exact"
                yield Route(rule.get("host", ""), path.get("path", "/"), exact, _backend(namespace, service))


def _backend(namespace: str, service: Resource) -> Backend:
    port = service["port"]
    return Backend(namespace, service["name"], str(port.get("name") or port["number"]))


def addresses(backend: Backend, observed: Observed) -> frozenset[str]:
    """Return `address:port` of every endpoint that is ready for the backend."""
    port_names = {
        port.get("name", "")
        for service in observed.services
        if _is_named(service, backend.namespace, backend.service)
        for port in service["spec"]["ports"]
        if backend.port in {port.get("name"), str(port["port"])}
    }
    return frozenset(
        address
        for piece in observed.slices
        if piece["metadata"]["namespace"] == backend.namespace
        and piece["metadata"].get("labels", {}).get("kubernetes.io/service-name") == backend.service
        for address in _ready_addresses(piece, port_names)
    )


def _is_named(resource: Resource, namespace: str, name: str) -> bool:
    metadata = resource["metadata"]
    return bool(metadata["namespace"] == namespace and metadata["name"] == name)


def _ready_addresses(piece: Resource, port_names: Iterable[str]) -> Iterator[str]:
    numbers = [port["port"] for port in piece.get("ports") or [] if port.get("name", "") in port_names]
    for endpoint in piece.get("endpoints") or []:
        # unknown counts as ready
        if endpoint.get("conditions", {}).get("ready") is not False:
            for number in numbers:
                yield f"{endpoint['addresses'][0]}:{number}"
