"""containerd of one machine, as its client sees it from outside."""

import subprocess
import time
from pathlib import Path

from node.namespaces import tail
from waiting import NotYetError, eventually

SOCKET = "/run/containerd/containerd.sock"
IMPORT_SECONDS = 300
SIGNAL_SECONDS = 10
START_SECONDS = 30
POLL_SECONDS = 0.05
LEAST_SETTINGS = """version = 2
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs",
  "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs"{more}]
"""


class ImageImportError(Exception):
    """containerd did not start or did not take an image; the message has its last lines."""


class SignalError(Exception):
    """A container could not be sent a signal; the message is containerd's."""


def settings(*disabled: str) -> str:
    """Return the head of containerd's settings, without parts that here would only cost time."""
    return LEAST_SETTINGS.format(more="".join(f', "{plugin}"' for plugin in disabled))


def import_image(pid: int, archive: Path, log: Path) -> None:
    """Give the machine whose first process is `pid` an image that no registry has."""

    def listens() -> None:
        if not Path(f"/proc/{pid}/root{SOCKET}").exists():
            raise NotYetError("its socket is not there")

    try:
        eventually("containerd listens", listens, START_SECONDS, sleep=lambda _: time.sleep(POLL_SECONDS))
    except AssertionError as error:
        raise ImageImportError(f"{error}\n{tail(log)}") from error
    result = _ask(pid, "images", "import", str(archive), timeout_seconds=IMPORT_SECONDS)
    if result.returncode:
        raise ImageImportError(f"containerd refuses {archive}: {result.stderr.strip()}\n{tail(log)}")


def signal_container(pid: int, container_id: str, signal: str) -> None:
    """Send a signal to the first process of a container, which nobody inside of it can kill."""
    result = _ask(pid, "tasks", "kill", "--signal", signal, container_id, timeout_seconds=SIGNAL_SECONDS)
    if result.returncode:
        raise SignalError(f"{container_id}: {result.stderr.strip()}")


def _ask(pid: int, *arguments: str, timeout_seconds: float) -> "subprocess.CompletedProcess[str]":
    client = ("ctr", "--address", SOCKET, "--namespace", "k8s.io")
    argv = ("nsenter", f"--mount=/proc/{pid}/ns/mnt", *client, *arguments)
    return subprocess.run(argv, capture_output=True, text=True, timeout=timeout_seconds, check=False)
