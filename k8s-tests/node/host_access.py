"""Doors from the host into a cluster: sockets of the host on which the control plane listens."""

import os
import socket
from collections.abc import Mapping
from pathlib import Path

from node.machine import Daemon
from node.plan import API_PORT, CONTROL_ADDRESS

HOST = "127.0.0.1"
INGRESS_PORT_VARIABLE = "CONVEYOR_INGRESS_PORT"
HIGHEST_PORT = 65535


class HostPortError(Exception):
    """A port of the host is in use, or none at all; the message names the cure."""


def open_door(port: int, setting: str) -> socket.socket:
    """Bind a port of the host, 0 for any; the socket stays the host's wherever it is taken."""
    door = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        door.bind((HOST, port))
    except OSError as error:
        door.close()
        raise HostPortError(f"port {port} of {HOST} is taken: choose another one in {setting}") from error
    return door


def ingress_port(environment: Mapping[str, str] = os.environ) -> int:
    """Return the port at which the host reaches the Ingress."""
    text = environment.get(INGRESS_PORT_VARIABLE, "").strip() or "8080"
    if not text.isdecimal() or not 1 <= int(text) <= HIGHEST_PORT:
        raise HostPortError(f"{INGRESS_PORT_VARIABLE}={text} is not a port between 1 and {HIGHEST_PORT}")
    return int(text)


def port_of(door: socket.socket) -> int:
    return int(door.getsockname()[1])


def api_forwarder(haproxy: tuple[str, ...], settings: Path, door: socket.socket) -> Daemon:
    """Return the daemon that passes the API server on to the host."""
    return Daemon("api-forwarder", (*haproxy, "-db", "-f", str(settings)), pass_fds=(door.fileno(),))


def forwarder_settings(door: socket.socket) -> str:
    return f"""global
    maxconn 1000

defaults
    mode tcp
    # while the API server starts, a client is to try again instead of waiting here
    timeout connect 500ms
    retries 0
    # a watch, a log that is followed and a session of exec may be silent for long
    timeout client 24h
    timeout server 24h

frontend api
    bind fd@{door.fileno()}
    default_backend api-server

backend api-server
    server control {CONTROL_ADDRESS}:{API_PORT}
"""
