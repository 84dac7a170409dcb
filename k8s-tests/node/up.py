"""Bringing a cluster up: programs, identities, control plane, nodes, and what every cluster has."""

import datetime as dt
import fcntl
import socket
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from images.library import base_images
from node import host_access, network
from node.addons import all_addons
from node.api import ApiClient, ApiError
from node.binaries import PARTS, RCLONE, programs
from node.cluster import ClusterError, Facts, OwnCluster
from node.control_plane import ControlPlane
from node.down import LOCK
from node.identities import ADMIN, admin_kubeconfig, write_identities
from node.ingress.service import ingress_daemon
from node.namespaces import tail
from node.plan import CONTROL, ClusterPlan
from node.seed import link_store
from node.worker import Worker
from stack.packages import find_daemons
from waiting import NotYetError, eventually

API_SECONDS = 60
ADDON_SECONDS = 30
READY_SECONDS = 60
REPELLING = {"NoSchedule", "NoExecute"}
QUICK_POLL_SECONDS = 0.1

Report = Callable[[str], None]


@dataclass(frozen=True)
class Materials:
    """What a cluster is made of and what outlives it: in the cache of the user."""

    programs: Mapping[str, Path]
    images: Mapping[str, Path]
    haproxy: tuple[str, ...]


def gather(report: Report) -> Materials:
    built = programs((*PARTS, RCLONE), report)
    images = base_images(built["pause"], built["rclone"], report)
    return Materials(built, images, find_daemons(report).argv["haproxy"])


@contextmanager
def exclusive(directory: Path) -> Iterator[None]:
    """Let only one program at a time start or end the cluster of a directory."""
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / LOCK).open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ClusterError(f"another program is starting or ending the cluster of {directory}") from None
        yield


class Start:
    """One start of a cluster from nothing."""

    def __init__(self, plan: ClusterPlan, materials: Materials, report: Report) -> None:
        self._plan = plan
        self._materials = materials
        self._report = report
        self._cluster = OwnCluster(plan)
        self._started = time.monotonic()

    def run(self, ingress_port: int, images: Callable[[], Path]) -> OwnCluster:
        """Start everything; `images` makes the store of images while the API server makes its roles."""
        write_identities(self._plan, dt.datetime.now(tz=dt.UTC))
        self._link_programs()
        with (
            host_access.open_door(0, "") as api_door,
            host_access.open_door(ingress_port, host_access.INGRESS_PORT_VARIABLE) as ingress_door,
        ):
            facts = Facts(len(self._plan.nodes), *map(host_access.port_of, (api_door, ingress_door)))
            self._start_control(api_door, ingress_door)
        self._write_kubeconfig(facts)
        with ThreadPoolExecutor(1) as pool:
            nodes = pool.submit(lambda: self._start_nodes(images()))
            api = ApiClient(host_access.HOST, facts.api_port, self._plan.pki, ADMIN)
            self._wait_for_api(api)
            self._apply_addons(api)
            nodes.result()
        self._wait_for_nodes(api)
        facts.write(self._plan.directory)
        return self._cluster

    def _link_programs(self) -> None:
        folder = self._plan.directory / "bin"
        folder.mkdir()
        for name, path in self._materials.programs.items():
            (folder / name).symlink_to(path)

    def _start_control(self, api_door: socket.socket, ingress_door: socket.socket) -> None:
        plan, folder = self._plan, self._plan.folder(CONTROL)
        control = ControlPlane(plan, plan.directory / "bin")
        folder.mkdir()
        (folder / "Corefile").write_text(control.corefile(), encoding="utf-8")
        settings = folder / "api-forwarder.cfg"
        settings.write_text(host_access.forwarder_settings(api_door), encoding="utf-8")
        machine = control.machine(
            host_access.api_forwarder(self._materials.haproxy, settings, api_door),
            ingress_daemon(plan, self._materials.haproxy, ingress_door),
        )
        doors = (api_door.fileno(), ingress_door.fileno())
        network.run(network.control_commands(self._cluster.control.start(machine, doors)))

    def _write_kubeconfig(self, facts: Facts) -> None:
        address = f"https://{host_access.HOST}:{facts.api_port}"
        self._plan.kubeconfig.touch(mode=0o600)
        self._plan.kubeconfig.write_text(admin_kubeconfig(self._plan.pki, address), encoding="utf-8")

    def _start_nodes(self, store: Path) -> None:
        for node, handle in zip(self._plan.nodes, self._cluster.nodes, strict=True):
            worker = Worker(self._plan, node, self._plan.directory / "bin")
            for name, content in worker.files().items():
                path = worker.folder / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(content, encoding="utf-8")
            link_store(store, worker.folder / "var" / "lib" / "containerd")
            (worker.folder / "var" / "run").symlink_to("/run")
            handle.start()

    def _wait_for_api(self, api: ApiClient) -> None:
        self._report("waiting for the API server")
        self._wait("the API server is ready", lambda: api.get("/readyz"), API_SECONDS)

    def _apply_addons(self, api: ApiClient) -> None:
        for addon in all_addons((self._plan.pki / "ca.crt").read_bytes()):
            self._wait(f"{addon['kind']} is accepted", partial(api.apply, addon), ADDON_SECONDS)

    def _wait_for_nodes(self, api: ApiClient) -> None:
        self._report("waiting for the nodes")
        for node in self._plan.nodes:
            ready = partial(require_ready, api, node.name)
            self._wait(f"{node.name} is ready", ready, READY_SECONDS, node.name, ("containerd", "kubelet"))
        seconds = time.monotonic() - self._started
        self._report(f"{len(self._plan.nodes)} nodes are ready after {seconds:.1f} s")

    def _wait(
        self,
        wanted: str,
        probe: Callable[[], object],
        seconds: float,
        machine: str = CONTROL,
        daemons: tuple[str, ...] = ("etcd", "kube-apiserver"),
    ) -> None:
        """Wait, and when it is in vain say what those that matter wrote last."""

        def observed() -> None:
            try:
                probe()
            except ApiError as error:
                raise NotYetError(str(error)) from error

        try:
            eventually(wanted, observed, seconds, sleep=lambda _: time.sleep(QUICK_POLL_SECONDS))
        except AssertionError as error:
            logs = [tail(self._plan.log(machine, name)) for name in ("machine", *daemons)]
            raise ClusterError("\n".join((str(error), *logs))) from error


def require_ready(api: ApiClient, name: str) -> None:
    """Raise NotYetError unless the node is ready and pods may be put on it."""
    if obstacle := obstacle_to_pods(api.read(f"/api/v1/nodes/{name}")):
        raise NotYetError(obstacle)


def obstacle_to_pods(node: Mapping[str, Any]) -> str:
    """Say what keeps pods from a node.

    The taint of a node that was not ready goes a moment after it has become so. Pods that are scheduled in
    between crowd the other nodes, and those with volumes of a node stay there.
    """
    conditions = {item["type"]: item for item in node["status"].get("conditions", [])}
    ready = conditions.get("Ready", {"status": "unknown", "message": "it has not reported yet"})
    if ready["status"] != "True":
        return str(ready.get("message"))
    taints = [taint["key"] for taint in node["spec"].get("taints", []) if taint["effect"] in REPELLING]
    return f"it is tainted with {', '.join(taints)}" if taints else ""
