"""Conveyor in the cluster: installed or upgraded with Helm, and where it is then."""

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

from helm import helm_binary, kubectl_binary
from node.provider import Cluster
from stack.terminal import table

ROOT = Path(__file__).resolve().parent.parent.parent
CHART = ROOT / "charts" / "conveyor"
RELEASE = "conveyor"
NAMESPACE = "conveyor"
HELM = "4.1"
READY_SECONDS = 300
MARGIN_SECONDS = 60

Report = Callable[[str], None]


class InstallError(Exception):
    """Helm did not bring Conveyor up; the message has Helm's words and the state of the pods."""


def install(cluster: Cluster, report: Report) -> float:
    """Install the chart with the values for development, or upgrade it; return the seconds it took."""
    started = time.monotonic()
    report("installing Conveyor with Helm")
    repository, _, tag = cluster.image.rpartition(":")
    argv = (
        *(str(helm_binary(HELM)), "upgrade", "--install", RELEASE, str(CHART)),
        *("--kubeconfig", str(cluster.kubeconfig), "--kube-context", cluster.context),
        *("--namespace", NAMESPACE, "--create-namespace"),
        *("--values", str(CHART / "values-dev.yaml")),
        *("--set-string", f"image.repository={repository.removeprefix('docker.io/library/')}"),
        *("--set-string", f"image.tag={tag}"),
        *("--wait", "--timeout", f"{READY_SECONDS}s"),
    )
    result = subprocess.run(
        argv, capture_output=True, text=True, timeout=READY_SECONDS + MARGIN_SECONDS, check=False
    )
    if result.returncode:
        raise InstallError(f"Helm: {result.stderr.strip()}\n{_pods(cluster)}")
    return time.monotonic() - started


def describe(cluster: Cluster) -> str:
    """Return where everything is, and what to do next."""
    kubectl = f"KUBECONFIG={cluster.kubeconfig} {kubectl_binary()} --context {cluster.context} -n {NAMESPACE}"
    rows = [
        ("what", "where"),
        ("dashboard", f"{cluster.ingress_url}/"),
        ("API", f"{cluster.ingress_url}/docs"),
        ("Flower", f"{cluster.ingress_url}/flower"),
        ("kubeconfig", f"{cluster.kubeconfig} (context {cluster.context})"),
        ("image", cluster.image),
    ]
    secret = f"{RELEASE}-credentials"
    password = f"get secret {secret} -o jsonpath='{{.data.flower-basic-auth}}' | base64 -d"
    return "\n".join(
        [
            table(rows),
            *([cluster.hint] if cluster.hint else []),
            "",
            "next:",
            f"  {kubectl} get pods",
            f"  {kubectl} {password}   # user and password of Flower",
            "  make cluster        # again, after a change: builds the image and upgrades",
            "  make cluster-down",
        ]
    )


def _pods(cluster: Cluster) -> str:
    argv = (
        *(str(kubectl_binary()), "--kubeconfig", str(cluster.kubeconfig), "--context", cluster.context),
        *("--namespace", NAMESPACE, "get", "pods,events", "--sort-by=.metadata.creationTimestamp"),
    )
    result = subprocess.run(argv, capture_output=True, text=True, timeout=MARGIN_SECONDS, check=False)
    return "\n".join((result.stdout + result.stderr).splitlines()[-40:])
