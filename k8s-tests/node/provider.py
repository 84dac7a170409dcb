"""The cluster that tests and `make cluster` work with: a given one, kind, or nodes of our own."""

import os
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from images.library import conveyor_image
from node import kind, preflight
from node.cluster import ClusterError, NodeHandle, OwnCluster, read_facts, running_cluster
from node.down import clear, end_processes
from node.host_access import HOST, INGRESS_PORT_VARIABLE, ingress_port, open_door
from node.plan import plan_cluster
from node.seed import seed
from node.up import Report, Start, exclusive, gather

ROOT = Path(__file__).resolve().parent.parent.parent
CONTEXT_VARIABLE = "CONVEYOR_KUBE_CONTEXT"
IMAGE_VARIABLE = "CONVEYOR_IMAGE"
INGRESS_VARIABLE = "CONVEYOR_INGRESS_URL"
OWN_CONTEXT = "conveyor"


class NoClusterError(Exception):
    """No cluster can be had here; the message says what would change that."""


@dataclass(frozen=True)
class Cluster:
    """How to reach a cluster, the image of Conveyor that it has, and its nodes where they are ours."""

    kubeconfig: Path
    context: str
    image: str
    ingress_url: str
    hint: str = ""
    own: OwnCluster | None = None
    ending: Callable[[], None] = field(default=lambda: None, repr=False)

    def node(self, name: str) -> NodeHandle | None:
        return self.own.node(name) if self.own else None

    def down(self) -> None:
        """Take the cluster down if this program brought it up."""
        self.ending()


def state_directory(environment: Mapping[str, str] = os.environ) -> Path:
    return Path(environment.get("CONVEYOR_CLUSTER_DIR") or ROOT / ".cluster").resolve()


def obstacle() -> str:
    """Return why no cluster can be had here, or nothing."""
    return "" if os.environ.get(CONTEXT_VARIABLE) or kind.is_available() else preflight.obstacle()


def provide(nodes: int, report: Report = print) -> Cluster:
    """Return a cluster with Conveyor's image in it, started if need be.

    Raises:
        NoClusterError: none is given, there is no kind, and this machine cannot run nodes of its own.
    """
    if context := os.environ.get(CONTEXT_VARIABLE):
        return _given(context)
    if kind.is_available():
        return _kind(nodes, report)
    if reason := obstacle():
        raise NoClusterError(reason)
    return _own(state_directory(), nodes, report)


def _given(context: str) -> Cluster:
    image = os.environ.get(IMAGE_VARIABLE)
    if not image:
        raise NoClusterError(
            f"{CONTEXT_VARIABLE}={context}: name in {IMAGE_VARIABLE} an image of Conveyor for its nodes"
        )
    kubeconfig = Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")
    return Cluster(kubeconfig, context, image, os.environ.get(INGRESS_VARIABLE, "http://127.0.0.1"))


def _kind(nodes: int, report: Report) -> Cluster:
    created = kind.create(nodes, ingress_port(), report)
    image = kind.load_conveyor(report)
    ending = kind.delete if created else lambda: None
    url = os.environ.get(INGRESS_VARIABLE, f"http://{HOST}:{ingress_port()}")
    return Cluster(kind.kubeconfig(), kind.CONTEXT, image, url, kind.HINT, ending=ending)


def _own(directory: Path, nodes: int, report: Report) -> Cluster:
    with exclusive(directory):
        running = running_cluster(directory)
        if running:
            report(f"the cluster runs already, with {len(running.nodes)} nodes")
            cluster, image = running, _renew(running, report)
        else:
            cluster, image = _start(directory, nodes, report)
    facts = read_facts(directory)
    if facts is None:
        raise ClusterError(f"{directory} lost its cluster.json: run `make cluster-down` and start again")
    return Cluster(
        cluster.plan.kubeconfig,
        OWN_CONTEXT,
        image,
        f"http://{HOST}:{facts.ingress_port}",
        own=cluster,
        ending=(lambda: None) if running else partial(_end, directory),
    )


def _renew(cluster: OwnCluster, report: Report) -> str:
    """Switch on what is off, and give the nodes the image of the sources as they are now."""
    image, archive = conveyor_image(gather(report).images, report)
    cluster.start_missing_nodes()
    cluster.import_images({image: archive})
    return image


def _start(directory: Path, nodes: int, report: Report) -> tuple[OwnCluster, str]:
    # what cannot work is said before anything is built
    plan, port = plan_cluster(directory, nodes), ingress_port()
    open_door(port, INGRESS_PORT_VARIABLE).close()
    materials = gather(report)
    clear(directory)
    built: list[str] = []

    def images() -> Path:
        image, archive = conveyor_image(materials.images, report)
        built.append(image)
        return seed(plan, (materials.images, {image: archive}), report)

    try:
        return Start(plan, materials, report).run(port, images), built[0]
    except BaseException:
        end_processes(plan)  # what was started goes, the logs stay
        raise


def _end(directory: Path) -> None:
    take_down(directory)


def take_down(directory: Path) -> bool:
    """End the cluster of a directory; say whether there was one."""
    if not directory.is_dir():
        return False
    with exclusive(directory):
        found = clear(directory)
        shutil.rmtree(directory)
    return found
