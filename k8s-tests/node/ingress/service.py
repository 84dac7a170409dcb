"""The Ingress controller as a daemon of the control plane."""

import json
import os
import socket
import sys
from pathlib import Path

from node.machine import Daemon
from node.plan import CONTROL, ClusterPlan

SOURCES = Path(__file__).resolve().parent.parent.parent


def ingress_daemon(plan: ClusterPlan, haproxy: tuple[str, ...], door: socket.socket) -> Daemon:
    """Write the controller's settings and return the daemon, which answers at a socket of the host."""
    settings = plan.folder(CONTROL) / "ingress.json"
    content = {"pki": str(plan.pki), "haproxy": haproxy, "door": door.fileno()}
    settings.write_text(json.dumps(content), encoding="utf-8")
    paths = os.pathsep.join((str(SOURCES), str(SOURCES.parent)))
    return Daemon(
        "ingress",
        (sys.executable, "-m", "node.ingress.controller", str(settings)),
        {"PYTHONPATH": paths},
        (door.fileno(),),
    )
