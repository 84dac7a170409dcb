"""Processes by identity: a pid together with its start, so that a reused pid is never touched."""

import os
import signal
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import psutil

# The kernel counts starts in ticks of 10 ms.
TOLERANCE_SECONDS = 0.05
POLL_SECONDS = 0.05


@dataclass(frozen=True)
class Identity:
    """A process that leads a session of its own; `started` counts from boot and so survives clock changes."""

    pid: int
    started: float


def identify(pid: int) -> Identity | None:
    try:
        return Identity(pid, _started(psutil.Process(pid)))
    except psutil.NoSuchProcess:
        return None


def is_alive(identity: Identity) -> bool:
    try:
        process = psutil.Process(identity.pid)
        same = abs(_started(process) - identity.started) <= TOLERANCE_SECONDS
        return same and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def members(identity: Identity) -> Iterator[psutil.Process]:
    """Yield the live processes of the session, also when its leader has gone before them."""
    leader = identify(identity.pid)
    if leader and abs(leader.started - identity.started) > TOLERANCE_SECONDS:
        return
    for pid in psutil.pids():
        try:
            if os.getsid(pid) == identity.pid:
                process = psutil.Process(pid)
                younger = _started(process) >= identity.started - TOLERANCE_SECONDS
                if younger and process.status() != psutil.STATUS_ZOMBIE:
                    yield process
        except (ProcessLookupError, PermissionError, psutil.NoSuchProcess):
            continue


def end(identities: Iterable[Identity], grace_seconds: float) -> None:
    """End whole sessions: SIGTERM, and SIGKILL for what is left after the grace period."""
    sessions = list(identities)
    for identity in sessions:
        if is_alive(identity):
            send(identity, signal.SIGTERM)
            send(identity, signal.SIGCONT)
    deadline = time.monotonic() + grace_seconds
    while time.monotonic() < deadline and any(is_alive(identity) for identity in sessions):
        time.sleep(POLL_SECONDS)
    for identity in sessions:
        kill_session(identity)


def kill_session(identity: Identity) -> None:
    # A member may fork between the listing and the signal, hence a second look.
    for _ in range(20):
        left = list(members(identity))
        if not left:
            return
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=1)


def send(identity: Identity, signum: int) -> None:
    try:
        os.kill(identity.pid, signum)
    except ProcessLookupError:
        return


def port_owner(port: int) -> str:
    """Describe who listens on a port, as far as this user may see it."""
    for connection in psutil.net_connections(kind="tcp"):
        listens = connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
        if listens and connection.pid:
            try:
                command = " ".join(psutil.Process(connection.pid).cmdline())
            except psutil.Error:
                command = "unknown command"
            return f"process {connection.pid} ({command[:120]})"
    return "another user's process"


def _started(process: psutil.Process) -> float:
    return float(process.create_time() - psutil.boot_time())
