"""Cables of a cluster: a bridge in the control plane's network namespace, and nodes on its ports.

They have no link to the network of the machine itself: there is no way out, and nothing to clean up outside.
"""

import subprocess
from collections.abc import Sequence

from node.plan import CONTROL_ADDRESS, MACHINES, Node

BRIDGE = "bridge"
INTERFACE = "eth0"
# as the kernel writes it
DEFAULT_ROUTE = "00000000"
TIMEOUT_SECONDS = 20

Command = tuple[str, ...]


class NetworkError(Exception):
    """A link could not be made or changed."""


def in_namespace(pid: int, *argv: str) -> Command:
    return ("nsenter", f"--net=/proc/{pid}/ns/net", *argv)


def control_commands(control: int) -> list[Command]:
    """Return the commands that make the bridge; `control` is the control plane's first process."""
    prefix = str(MACHINES.prefixlen)
    return [
        in_namespace(control, *command)
        for command in (
            ("ip", "link", "set", "lo", "up"),
            ("ip", "link", "add", BRIDGE, "type", "bridge"),
            ("ip", "address", "add", f"{CONTROL_ADDRESS}/{prefix}", "dev", BRIDGE),
            ("ip", "link", "set", BRIDGE, "up"),
        )
    ]


def cable_commands(node: Node, control: int, pid: int) -> list[Command]:
    """Return the commands that put the cable between the bridge and a node, whose first process is `pid`."""
    pair = ("ip", "link", "add", node.link, "type", "veth", "peer", "name", INTERFACE, "netns", str(pid))
    outside = (
        pair,
        ("ip", "link", "set", node.link, "master", BRIDGE, "up"),
        ("ip", "route", "replace", node.pods, "via", node.address),
    )
    inside = (
        ("ip", "link", "set", "lo", "up"),
        ("ip", "address", "add", f"{node.address}/{MACHINES.prefixlen}", "dev", INTERFACE),
        ("ip", "link", "set", INTERFACE, "up"),
    )
    return [
        *(in_namespace(control, *command) for command in outside),
        *(in_namespace(pid, *command) for command in inside),
    ]


def route_commands(others: Sequence[Node], pid: int) -> list[Command]:
    """Return the commands that tell a node its ways, last the default one that it waits for."""
    routes = [("ip", "route", "replace", other.pods, "via", other.address) for other in others]
    default = ("ip", "route", "replace", "default", "via", str(CONTROL_ADDRESS))
    return [in_namespace(pid, *command) for command in (*routes, default)]


def unplug_command(node: Node, control: int) -> Command:
    return in_namespace(control, "ip", "link", "set", node.link, "down")


def plug_command(node: Node, control: int) -> Command:
    return in_namespace(control, "ip", "link", "set", node.link, "up")


def run(commands: Sequence[Command]) -> None:
    for command in commands:
        result = subprocess.run(command, capture_output=True, text=True, timeout=TIMEOUT_SECONDS, check=False)
        if result.returncode:
            raise NetworkError(f"`{' '.join(command)}` failed: {result.stderr.strip()}")
