"""The Ingress controller of the test cluster: keeps HAProxy as Ingresses and EndpointSlices say.

A double: it knows hosts, paths and plain HTTP. TLS, annotations and whatever else a real one has is not here.
"""

import json
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path

from node.addons import INGRESS_CLASS
from node.api import ApiClient, ApiError
from node.ingress.proxy import Proxy, ProxyError
from node.ingress.rendering import configuration
from node.ingress.routes import Backend, Observed, Resource, Route, addresses, routes
from node.ingress.slots import assign, commands
from node.plan import API_PORT, CONTROL_ADDRESS

NETWORKING = "/apis/networking.k8s.io/v1"
WATCHED = (f"{NETWORKING}/ingresses", "/api/v1/services", "/apis/discovery.k8s.io/v1/endpointslices")
WATCH_SECONDS = 60
LOOK_SECONDS = 5.0
RETRY_SECONDS = 0.5
# changes come in bursts
SETTLE_SECONDS = 0.05


@dataclass
class Controller:
    api: ApiClient
    proxy: Proxy
    door: int

    def __post_init__(self) -> None:
        self._changed = threading.Event()
        self._routes: tuple[Route, ...] | None = None
        self._assigned: dict[Backend, dict[str, str]] = {}

    def run(self) -> None:
        for path in WATCHED:
            threading.Thread(target=self._watch, args=(path,), daemon=True).start()
        while True:
            self._changed.clear()
            try:
                self._reconcile(self._observe())
            except (ApiError, ProxyError, OSError) as error:
                print(f"trying again: {error}", flush=True)
                self._routes = None
                time.sleep(RETRY_SECONDS)
            else:
                self._changed.wait(LOOK_SECONDS)
                time.sleep(SETTLE_SECONDS)

    def _watch(self, path: str) -> None:
        """Wake the loop at every event; what changed is read anew, so a missed event costs only time."""
        while True:
            try:
                for _ in self.api.events(path, WATCH_SECONDS):
                    self._changed.set()
            except ApiError as error:
                print(error, flush=True)
                time.sleep(RETRY_SECONDS)

    def _observe(self) -> Observed:
        listed = [self.api.read(f"{path}?resourceVersion=0").get("items") or [] for path in WATCHED]
        return Observed(*map(tuple, listed))

    def _reconcile(self, observed: Observed) -> None:
        wanted = routes(observed, INGRESS_CLASS)
        backends = {route.backend for route in wanted}
        target = {
            backend: assign(self._assigned.get(backend, {}), addresses(backend, observed))
            for backend in backends
        }
        if wanted != self._routes or not self.proxy.is_running:
            self.proxy.load(configuration(wanted, target, self.door, str(self.proxy.control)))
            print(f"loaded {len(wanted)} routes", flush=True)
        else:
            for backend in sorted(backends):
                self.proxy.tell(commands(backend.name, self._assigned.get(backend, {}), target[backend]))
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
            self.api.patch(path, {"status": {"loadBalancer": {"ingress": [{"hostname": "localhost"}]}}})


def main(settings: Path) -> None:
    read = json.loads(settings.read_text(encoding="utf-8"))
    api = ApiClient(str(CONTROL_ADDRESS), API_PORT, Path(read["pki"]), "ingress")
    proxy = Proxy(read["haproxy"], settings.parent, read["door"])
    Controller(api, proxy, read["door"]).run()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
