"""What the machine needs before a cluster can start, and how to get what is missing."""

import os
import platform
import shutil
from collections.abc import Callable

from node.binaries import BuildError, find_go
from node.cgroups import CgroupError, hierarchies
from node.namespaces import program_path
from node.worker import CNI_PROGRAMS

# each program, and the package of Debian that has it
PROGRAMS = {
    "containerd": "containerd",
    "runc": "runc",
    "iptables": "iptables",
    "conntrack": "conntrack",
    "socat": "socat",
    "buildah": "buildah",
    "debootstrap": "debootstrap",
    "ip": "iproute2",
    "nsenter": "util-linux",
    "setpriv": "util-linux",
}
CNI_PACKAGE = "containernetworking-plugins"


class PreflightError(Exception):
    """Something is missing; the message has the command that installs it."""


def missing_packages(has: Callable[[str], bool] | None = None) -> list[str]:
    """Return the packages of Debian that the nodes need and the machine lacks."""
    present = has or _is_installed
    missing = [package for program, package in PROGRAMS.items() if not present(program)]
    return missing + ([] if present(f"{CNI_PROGRAMS}/bridge") else [CNI_PACKAGE])


def obstacle() -> str:
    """Return why this machine cannot run nodes of its own, or nothing."""
    if platform.system() != "Linux":
        return (
            "nodes of our own need Linux: use kind (with Docker), or name a context in CONVEYOR_KUBE_CONTEXT"
        )
    if os.geteuid() != 0:
        return "nodes of our own need root: run as root, use kind (with Docker), or set CONVEYOR_KUBE_CONTEXT"
    try:
        hierarchies()
        find_go()
    except (CgroupError, BuildError) as error:
        return str(error)
    if missing := missing_packages():
        return f"programs are missing: apt-get install --no-install-recommends {' '.join(missing)}"
    return ""


def require() -> None:
    if reason := obstacle():
        raise PreflightError(reason)


def _is_installed(program: str) -> bool:
    return shutil.which(program, path=program_path()) is not None
