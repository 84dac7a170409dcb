"""The same cluster in kind, where Docker is: its nodes are containers."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

NAME = "conveyor"
CONTEXT = f"kind-{NAME}"
IMAGE = "docker.io/library/conveyor:kind"
ROOT = Path(__file__).resolve().parent.parent.parent
HINT = (
    "kind brings no Ingress controller: until you install one that listens on port 80 of the first node, "
    "reach the dashboard with kubectl port-forward"
)
CREATE_SECONDS = 600
QUESTION_SECONDS = 30

Report = Callable[[str], None]


class KindError(Exception):
    """kind or Docker refused; the message is their own."""


def is_available() -> bool:
    """Say whether kind is installed and Docker answers."""
    if not (shutil.which("kind") and shutil.which("docker")):
        return False
    try:
        result = subprocess.run(
            ["docker", "info"], capture_output=True, timeout=QUESTION_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return result.returncode == 0


def kubeconfig() -> Path:
    return Path(os.environ.get("KUBECONFIG") or Path.home() / ".kube" / "config")


def create(nodes: int, ingress_port: int, report: Report) -> bool:
    """Create the cluster unless it is there; say whether it was created."""
    if NAME in _run("kind", "get", "clusters").split():
        return False
    report(f"creating the kind cluster {NAME} with {nodes} nodes")
    _run(
        "kind",
        "create",
        "cluster",
        "--config=-",
        "--wait=5m",
        stdin=json.dumps(settings(nodes, ingress_port)),
    )
    return True


def settings(nodes: int, ingress_port: int) -> dict[str, object]:
    """Return kind's configuration; the first node's port 80 is for an Ingress controller."""
    mapping = {"containerPort": 80, "hostPort": ingress_port, "listenAddress": "127.0.0.1"}
    first = {"role": "control-plane", "extraPortMappings": [mapping]}
    return {
        "kind": "Cluster",
        "apiVersion": "kind.x-k8s.io/v1alpha4",
        "name": NAME,
        "nodes": [first, *({"role": "worker"} for _ in range(nodes))],
    }


def load_conveyor(report: Report) -> str:
    """Build the image with Docker, give it to the nodes, and return its name."""
    report("building the image of Conveyor")
    _run("docker", "build", "--quiet", f"--tag={IMAGE}", str(ROOT))
    _run("kind", "load", "docker-image", IMAGE, f"--name={NAME}")
    return IMAGE


def delete() -> None:
    _run("kind", "delete", "cluster", f"--name={NAME}")


def _run(*argv: str, stdin: str = "") -> str:
    result = subprocess.run(
        argv, input=stdin, capture_output=True, text=True, timeout=CREATE_SECONDS, check=False
    )
    if result.returncode:
        raise KindError(f"`{' '.join(argv)}` failed: {result.stderr.strip()[-1000:]}")
    return result.stdout
