"""Names and addresses of one cluster, all derived from its directory: nothing here touches the machine."""

import hashlib
import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

SERVICES = ipaddress.ip_network("10.96.0.0/16")
KUBERNETES_SERVICE = SERVICES[1]
DNS_SERVICE = SERVICES[10]
PODS = ipaddress.ip_network("10.244.0.0/16")
MACHINES = ipaddress.ip_network("10.10.0.0/24")
CONTROL_ADDRESS = MACHINES[1]
API_PORT = 6443
MOST_NODES = 3
CLUSTER_DOMAIN = "cluster.local"
CONTROL = "control"


class PlanError(Exception):
    """What was asked for cannot be; the message names the cure."""


@dataclass(frozen=True)
class Node:
    """One machine of the cluster that runs pods."""

    number: int

    @property
    def name(self) -> str:
        return f"node{self.number}"

    @property
    def address(self) -> str:
        return str(MACHINES[10 + self.number])

    @property
    def pods(self) -> str:
        return str(list(PODS.subnets(new_prefix=24))[self.number])

    @property
    def link(self) -> str:
        """Name of its cable's end at the bridge of the control plane."""
        return f"to-{self.name}"


@dataclass(frozen=True)
class ClusterPlan:
    """Two clusters on one machine differ in their directory, so nothing of theirs meets.

    Addresses may repeat: every machine lives in a network namespace without a way out.
    """

    directory: Path
    nodes: tuple[Node, ...]

    @property
    def identity(self) -> str:
        digest = hashlib.sha256(str(self.directory).encode()).hexdigest()[:8]
        return f"conveyor-{digest}"

    @property
    def machines(self) -> tuple[str, ...]:
        return (CONTROL, *(node.name for node in self.nodes))

    @property
    def kubeconfig(self) -> Path:
        return self.directory / "kubeconfig"

    @property
    def pki(self) -> Path:
        return self.directory / "pki"

    def folder(self, machine: str) -> Path:
        return self.directory / machine

    def log(self, machine: str, daemon: str) -> Path:
        return self.folder(machine) / "log" / f"{daemon}.log"

    def cgroup(self, machine: str) -> str:
        """Return the machine's control group, as a path below each controller's mount."""
        return f"{self.identity}/{machine}"


def plan_cluster(directory: Path, nodes: int) -> ClusterPlan:
    if not 1 <= nodes <= MOST_NODES:
        raise PlanError(f"NODES={nodes}: a cluster has between 1 and {MOST_NODES} nodes")
    for hidden in ("/var", "/run"):
        if directory.is_relative_to(hidden):
            raise PlanError(
                f"{directory} lies below {hidden}, which each node replaces by its own: "
                "choose another directory in CONVEYOR_CLUSTER_DIR"
            )
    return ClusterPlan(directory, tuple(Node(number) for number in range(1, nodes + 1)))


def wanted_nodes(environment: Mapping[str, str]) -> int:
    text = environment.get("NODES", "").strip() or str(MOST_NODES)
    if not text.isdecimal():
        raise PlanError(f"NODES={text}: a cluster has between 1 and {MOST_NODES} nodes")
    return int(text)
