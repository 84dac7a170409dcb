"""Who takes part in a cluster, and the kubeconfig files that let them."""

import base64
import datetime as dt
import json
from pathlib import Path

from node import pki
from node.plan import (
    API_PORT,
    CLUSTER_DOMAIN,
    CONTROL_ADDRESS,
    KUBERNETES_SERVICE,
    ClusterPlan,
    Node,
)

ADMIN = "admin"
API_ADDRESS = f"https://{CONTROL_ADDRESS}:{API_PORT}"
API_HOSTS = (
    "kubernetes",
    "kubernetes.default",
    "kubernetes.default.svc",
    f"kubernetes.default.svc.{CLUSTER_DOMAIN}",
    "localhost",
    "127.0.0.1",
    str(CONTROL_ADDRESS),
    str(KUBERNETES_SERVICE),
)


def subjects(nodes: tuple[Node, ...]) -> dict[str, pki.Subject]:
    """Name every key pair of a cluster, by the name of its files."""
    control = str(CONTROL_ADDRESS)
    fixed = {
        ADMIN: pki.Subject("conveyor-admin", "system:masters"),
        "kube-apiserver": pki.Subject("kube-apiserver", hosts=API_HOSTS),
        "apiserver-kubelet-client": pki.Subject("kube-apiserver-kubelet-client", "system:masters"),
        "front-proxy-client": pki.Subject("front-proxy-client"),
        "kube-controller-manager": pki.Subject("system:kube-controller-manager"),
        "kube-scheduler": pki.Subject("system:kube-scheduler"),
        "kube-proxy": pki.Subject("system:kube-proxy"),
        "coredns": pki.Subject("conveyor:coredns"),
        "metrics-server": pki.Subject(
            "conveyor:metrics-server", hosts=(control, "metrics-server.kube-system.svc")
        ),
        "local-path-provisioner": pki.Subject("conveyor:local-path-provisioner"),
        "ingress": pki.Subject("conveyor:ingress"),
        "network-policy": pki.Subject("conveyor:network-policy"),
    }
    kubelets = {
        node.name: pki.Subject(f"system:node:{node.name}", "system:nodes", (node.name, node.address))
        for node in nodes
    }
    return fixed | kubelets


def write_identities(plan: ClusterPlan, now: dt.datetime) -> None:
    """Draw all keys anew and write them, with a kubeconfig beside each client's key."""
    folder = plan.pki
    root = pki.authority("conveyor-test-cluster", now)
    pki.write_pair(folder, "ca", root)
    for name, subject in subjects(plan.nodes).items():
        pair = pki.issue(root, subject, now)
        pki.write_pair(folder, name, pair)
        (folder / f"{name}.kubeconfig").touch(mode=0o600)
        (folder / f"{name}.kubeconfig").write_text(kubeconfig(API_ADDRESS, root, pair), encoding="utf-8")
    tokens = pki.new_key()
    pki.write_key(folder / "service-accounts.key", pki.private_pem(tokens))
    (folder / "service-accounts.pub").write_bytes(pki.public_pem(tokens))


def kubeconfig(server: str, root: pki.KeyPair, pair: pki.KeyPair) -> str:
    return render_kubeconfig(server, root.certificate_pem, pair.certificate_pem, pair.key_pem)


def admin_kubeconfig(folder: Path, server: str) -> str:
    """Return the kubeconfig for people, who reach the API server by another address."""
    names = ("ca.crt", f"{ADMIN}.crt", f"{ADMIN}.key")
    return render_kubeconfig(server, *((folder / name).read_bytes() for name in names))


def render_kubeconfig(server: str, authority: bytes, certificate: bytes, key: bytes) -> str:
    """Write JSON, which is YAML too."""
    cluster = {"server": server, "certificate-authority-data": _encoded(authority)}
    user = {"client-certificate-data": _encoded(certificate), "client-key-data": _encoded(key)}
    name = "conveyor"
    document = {
        "apiVersion": "v1",
        "kind": "Config",
        "clusters": [{"name": name, "cluster": cluster}],
        "users": [{"name": name, "user": user}],
        "contexts": [{"name": name, "context": {"cluster": name, "user": name, "namespace": "default"}}],
        "current-context": name,
    }
    return json.dumps(document, indent=1) + "\n"


def _encoded(pem: bytes) -> str:
    return base64.b64encode(pem).decode()
