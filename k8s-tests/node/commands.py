"""Command line of the local cluster: `python -m node up`, `down`, `status`, `missing`."""

import os
import sys
from collections.abc import Callable

from helm import MissingToolError
from images.stand_ins import ImageError
from node import kind
from node.binaries import BuildError
from node.cgroups import CgroupError
from node.cluster import ClusterError, running_cluster
from node.containerd import ImageImportError
from node.host_access import HostPortError
from node.install import InstallError, describe, install
from node.kind import KindError
from node.namespaces import MachineError
from node.network import NetworkError
from node.plan import PlanError, wanted_nodes
from node.provider import CONTEXT_VARIABLE, NoClusterError, provide, state_directory, take_down
from stack.apt import AptError
from stack.packages import MissingDaemonError
from stack.terminal import RED, Progress, paint

EXPECTED = (
    AptError,
    BuildError,
    CgroupError,
    ClusterError,
    ImageError,
    ImageImportError,
    InstallError,
    KindError,
    MachineError,
    MissingDaemonError,
    MissingToolError,
    NetworkError,
    NoClusterError,
    PlanError,
    HostPortError,
)


def run(command: str) -> int:
    """Carry out one of COMMANDS and return the exit code."""
    try:
        return COMMANDS[command]() or 0
    except EXPECTED as error:
        print(paint(f"error: {error}", RED), file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def up() -> None:
    progress = Progress()
    cluster = provide(wanted_nodes(os.environ), progress)
    progress.clear()
    print(f"kubeconfig  {cluster.kubeconfig} (context {cluster.context})")
    print(f"image       {cluster.image}")
    print(f"ingress     {cluster.ingress_url}")


def install_conveyor() -> None:
    progress = Progress()
    cluster = provide(wanted_nodes(os.environ), progress)
    seconds = install(cluster, progress)
    progress.clear()
    print(f"Conveyor is ready, {seconds:.0f} s after Helm began\n")
    print(describe(cluster))


def down() -> None:
    if os.environ.get(CONTEXT_VARIABLE):
        print(f"nothing to do: the cluster of {CONTEXT_VARIABLE} is not ours")
    elif kind.is_available():
        kind.delete()
    else:
        print("cluster is down" if take_down(state_directory()) else "there is no cluster")


def status() -> int:
    cluster = running_cluster(state_directory())
    if cluster is None:
        print("there is no cluster")
        return 1
    for machine in (cluster.control, *(node.machine for node in cluster.nodes)):
        pid = machine.pid()
        print(f"{machine.name:8} {f'runs, first process {pid}' if pid else 'is switched off'}")
    return 0


COMMANDS: dict[str, Callable[[], int | None]] = {
    "up": up,
    "install": install_conveyor,
    "down": down,
    "status": status,
}
