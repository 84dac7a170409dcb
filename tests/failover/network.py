"""A network of the run's own, in which packets between members can be lost without anybody being told.

Each member has a network namespace with one end of a virtual cable, whose other end is in a bridge here. A
cut makes the sender address its packets to a machine that does not exist: no reset, no refusal, no answer.
"""

import ctypes
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from stack.place import Place

CLONE_NEWNS, CLONE_NEWNET = 0x00020000, 0x40000000
PROGRAMS = {"ip": "iproute2", "unshare": "util-linux", "nsenter": "util-linux", "mount": "mount"}
COMMAND_SECONDS = 10
BRIDGE = "members"
CLIENTS = "clients"  # the rest of the system: HAProxy, the API, and those who test
SMALL_DISK_SIZE = "768m"
NOBODY = "02:00:00:00:00:00"


def obstacle() -> str:
    """Return why this process cannot have a network of its own, or nothing."""
    if os.geteuid() != 0:
        return "a network of the test's own needs root"
    missing = sorted({package for program, package in PROGRAMS.items() if not shutil.which(program)})
    return f"apt-get install {' '.join(missing)}" if missing else ""


def leave_the_hosts_namespaces() -> None:
    """Move this thread, and all that it starts from now on, off the machine's network and mounts.

    What is made there ends with the last of these processes, however they end.
    """
    library = ctypes.CDLL(None, use_errno=True)
    if library.unshare(CLONE_NEWNET | CLONE_NEWNS):
        raise OSError(ctypes.get_errno(), "unshare: a network and mounts of the run's own were refused")
    _run("mount", "--make-rprivate", "/")
    _run("ip", "link", "set", "lo", "up")


def mount_small_disk(path: Path) -> None:
    """Give a member a disk that can be filled."""
    path.mkdir(parents=True, mode=0o700)
    _run("mount", "-t", "tmpfs", "-o", f"size={SMALL_DISK_SIZE}", "small-disk", str(path))


@dataclass(frozen=True)
class _Node:
    name: str
    number: int
    device: str
    enter: tuple[str, ...] = ()

    @property
    def address(self) -> str:
        return f"10.77.0.{self.number}"

    @property
    def mac(self) -> str:
        return f"02:00:00:00:00:{self.number:02x}"


class Network:
    """A bridge with a cable to each member; the process must have left the host's namespaces."""

    def __init__(self, members: Iterable[str]) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []
        self._nodes = {CLIENTS: _Node(CLIENTS, 254, BRIDGE)}
        for number, name in enumerate(members, 1):
            self._nodes[name] = _Node(name, number, "eth0", self._hold_namespace())
        self._lay_cables()
        self.heal()

    @property
    def places(self) -> dict[str, Place]:
        return {node.name: Place(node.address, node.enter) for node in self._nodes.values() if node.enter}

    def close(self) -> None:
        """Let go of the namespaces; the kernel removes them with the last process inside."""
        for holder in self._holders:
            holder.communicate(timeout=COMMAND_SECONDS)

    @contextmanager
    def without(self, *ways: tuple[str, str]) -> Iterator[None]:
        """Lose all that is sent on some ways, each from one node to another."""
        for source, target in ways:
            self._address(self._nodes[source], self._nodes[target], NOBODY)
        try:
            yield
        finally:
            self.heal()

    def around(self, name: str, *, clients: bool) -> list[tuple[str, str]]:
        """Return the ways to and from a member; with `clients` those of the clients as well."""
        others = [other for other in self._nodes if other != name and (clients or other != CLIENTS)]
        return [way for other in others for way in ((name, other), (other, name))]

    def heal(self) -> None:
        for source in self._nodes.values():
            for target in self._nodes.values():
                if source is not target:
                    self._address(source, target, target.mac)

    def _address(self, source: _Node, target: _Node, mac: str) -> None:
        neighbour = ("ip", "neigh", "replace", target.address, "lladdr", mac, "nud", "permanent")
        _run(*source.enter, *neighbour, "dev", source.device)

    def _hold_namespace(self) -> tuple[str, ...]:
        # `cat` ends when this process does, whatever became of it
        holder = subprocess.Popen(("unshare", "--net", "cat"), stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self._holders.append(holder)
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write(b"\n")
        holder.stdin.flush()
        holder.stdout.readline()  # it runs, so the namespace is there
        return ("nsenter", f"--net=/proc/{holder.pid}/ns/net")

    def _lay_cables(self) -> None:
        clients = self._nodes[CLIENTS]
        _run("ip", "link", "add", BRIDGE, "address", clients.mac, "type", "bridge")
        _run("ip", "address", "add", f"{clients.address}/24", "dev", BRIDGE)
        _run("ip", "link", "set", BRIDGE, "up")
        for node, holder in zip(list(self._nodes.values())[1:], self._holders, strict=True):
            peer = ("peer", "name", node.device, "address", node.mac, "netns", str(holder.pid))
            _run("ip", "link", "add", node.name, "type", "veth", *peer)
            _run("ip", "link", "set", node.name, "master", BRIDGE, "up")
            _run(*node.enter, "ip", "link", "set", "lo", "up")
            _run(*node.enter, "ip", "link", "set", node.device, "up")
            _run(*node.enter, "ip", "address", "add", f"{node.address}/24", "dev", node.device)


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=COMMAND_SECONDS, check=False)
    if done.returncode:
        raise OSError(f"{' '.join(command)}: {done.stderr.strip()}")
