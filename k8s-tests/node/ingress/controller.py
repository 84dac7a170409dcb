"""The Ingress controller of the test cluster: keeps HAProxy as Ingresses and EndpointSlices say.

A double: it knows hosts, paths and plain HTTP. TLS, annotations and whatever else a real one has is not here.
"""

import json
import sys
from pathlib import Path

from node.addons import INGRESS_CLASS
from node.api import ApiClient
from node.ingress.proxy import Proxy, ProxyError
from node.ingress.rendering import configuration
from node.ingress.routes import Backend, Observed, Route, addresses, routes
from node.ingress.slots import assign, commands
from node.plan import API_PORT, CONTROL_ADDRESS
from node.reconcile import Listed, Resource, reconcile

NETWORKING = "/apis/networking.k8s.io/v1"
WATCHED = (f"{NETWORKING}/ingresses", "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices")


class Controller:
    def __init__(self, api: ApiClient, proxy: Proxy, door: int) -> None:
        self._api = api
        self._proxy = proxy
        self._door = door
        self._routes: tuple[Route, ...] | None = None
        self._assigned: dict[Backend, dict[str, str]] = {}

    def act(self, listed: Listed) -> None:
        observed = Observed(*listed)
        wanted = routes(observed, INGRESS_CLASS)
        target = {
            backend: assign(self._assigned.get(backend, {}), addresses(backend, observed))
            for backend in {route.backend for route in wanted}
        }
        known, self._routes = self._routes, None  # until all went well
        if wanted != known or not self._proxy.is_running:
            self._proxy.load(configuration(wanted, target, self._door, str(self._proxy.control)))
            print(f"loaded {len(wanted)} routes", flush=True)
        else:
            for backend in sorted(target):
                self._proxy.tell(commands(backend.name, self._assigned.get(backend, {}), target[backend]))
        self._routes, self._assigned = wanted, target
        for ingress in observed.ingresses:
            self._publish(ingress)

    def _publish(self, ingress: Resource) -> None:
        """Say in the status of an Ingress where it is reached, as clients and Helm may wait for it."""
        if ingress["spec"].get("ingressClassName") != INGRESS_CLASS:
            return
        if not ingress.get("status", {}).get("loadBalancer", {}).get("ingress"):
            metadata = ingress["metadata"]
            path = f"{NETWORKING}/namespaces/{metadata['namespace']}/ingresses/{metadata['name']}/status"
            self._api.patch(path, {"status": {"loadBalancer": {"ingress": [{"hostname": "localhost"}]}}})


def main(settings: Path) -> None:
    read = json.loads(settings.read_text(encoding="utf-8"))
    api = ApiClient(str(CONTROL_ADDRESS), API_PORT, Path(read["pki"]), "ingress")
    proxy = Proxy(read["haproxy"], settings.parent, read["door"])
    reconcile(api, WATCHED, Controller(api, proxy, read["door"]).act, (ProxyError, OSError))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
