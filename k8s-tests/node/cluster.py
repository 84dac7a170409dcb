"""A cluster of our own on this machine: what it consists of, and what tests may do to its nodes."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from node import network
from node.cgroups import Cgroup
from node.containerd import import_image, signal_container
from node.namespaces import RunningMachine
from node.plan import CONTROL, ClusterPlan, Node, plan_cluster
from node.worker import Worker


class ClusterError(Exception):
    """The cluster is not in the state that was asked for; the message shows the log concerned."""


@dataclass(frozen=True)
class Facts:
    """What is written down about a cluster once it is ready."""

    nodes: int
    api_port: int
    ingress_port: int

    def write(self, directory: Path) -> None:
        (directory / "cluster.json").write_text(json.dumps(vars(self)), encoding="utf-8")


def read_facts(directory: Path) -> Facts | None:
    try:
        return Facts(**json.loads((directory / "cluster.json").read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


class NodeHandle:
    """One node, and what may happen to it."""

    def __init__(self, plan: ClusterPlan, node: Node, control: RunningMachine) -> None:
        self._plan = plan
        self._node = node
        self._control = control
        self.machine = running_machine(plan, node.name)

    @property
    def name(self) -> str:
        return self._node.name

    def start(self) -> None:
        """Switch the node on, with what its disk held when it was last switched off."""
        worker = Worker(self._plan, self._node, self._plan.directory / "bin")
        pid = self.machine.start(worker.machine())
        others = [node for node in self._plan.nodes if node != self._node]
        network.run(network.cable_commands(self._node, self._control.require_pid(), pid))
        network.run(network.route_commands(others, pid))

    def kill(self) -> None:
        """Cut the power."""
        self.machine.power_off()

    def freeze(self) -> None:
        """Let the node hang: its processes stand still, its addresses are there."""
        self.machine.freeze()

    def thaw(self) -> None:
        self.machine.thaw()

    def partition(self) -> None:
        """Pull the node's cable: it runs on, and reaches nobody."""
        network.run([network.unplug_command(self._node, self._control.require_pid())])

    def heal(self) -> None:
        network.run([network.plug_command(self._node, self._control.require_pid())])

    def signal_container(self, container_id: str, signal: str) -> None:
        """Send a signal to a container of the node, by the number that its pod's status gives."""
        signal_container(self.machine.require_pid(), container_id.rpartition("/")[2], signal)

    def import_image(self, archive: Path) -> None:
        """Give the running node an image that no registry has."""
        import_image(self.machine.require_pid(), archive, self._plan.log(self.name, "containerd"))


class OwnCluster:
    """The machines of a plan."""

    def __init__(self, plan: ClusterPlan) -> None:
        self.plan = plan
        self.control = running_machine(plan, CONTROL)
        self.nodes = tuple(NodeHandle(plan, node, self.control) for node in plan.nodes)

    def node(self, name: str) -> NodeHandle:
        known = {node.name: node for node in self.nodes}
        if name not in known:
            raise ClusterError(f"there is no node {name}: there are {', '.join(known)}")
        return known[name]

    def start_missing_nodes(self) -> None:
        for node in self.nodes:
            if node.machine.pid() is None:
                node.start()

    def import_images(self, archives: Mapping[str, Path]) -> None:
        with ThreadPoolExecutor(len(self.nodes)) as pool:
            list(pool.map(lambda node: [node.import_image(path) for path in archives.values()], self.nodes))


def running_machine(plan: ClusterPlan, name: str) -> RunningMachine:
    return RunningMachine(plan.folder(name), Cgroup(plan.cgroup(name)))


def running_cluster(directory: Path) -> OwnCluster | None:
    """Return the cluster of a directory, if its start was completed and its control plane is alive."""
    facts = read_facts(directory)
    if facts is None:
        return None
    cluster = OwnCluster(plan_cluster(directory, facts.nodes))
    return cluster if cluster.control.pid() else None
