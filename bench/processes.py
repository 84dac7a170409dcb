"""Reads the counters of the system's processes and of the machine."""

import os
import time
from collections.abc import Iterable
from pathlib import Path

import psutil

from bench.usage import Snapshot, Usage
from stack import sessions
from stack.state import read_state

GROUPS = {"mysql": "mysqld", "agent": "agents", "relay": "relays"}
OWN_GROUP = "log and supervision"


def take_snapshot(directory: Path) -> Snapshot:
    """Read everything at once; `directory` is where the stack records its processes."""
    times = psutil.cpu_times()
    disk_wait = getattr(times, "iowait", 0.0)  # Linux only
    busy = sum(times[:8]) - times.idle - disk_wait  # the rest is counted in the first eight already
    usages = {**_services(directory), "bench": _this_process()}
    return Snapshot(time.monotonic(), busy, disk_wait, usages)


def _services(directory: Path) -> dict[str, Usage]:
    state = read_state(directory)
    usages: dict[str, Usage] = {}
    for name, service in state.services.items() if state else ():
        if service.identity and service.condition != "done":
            usages |= _service(name, service.identity)
    return usages


def _service(name: str, identity: sessions.Identity) -> dict[str, Usage]:
    """Return a service's usage; a worker's parent and the children that run its tasks apart."""
    kind, _, _ = name.rpartition("-")
    members = list(sessions.members(identity))
    leaders = [process for process in members if process.pid == identity.pid]
    children = [process for process in members if process.pid != identity.pid]
    if not leaders:
        return {}
    ended = sum(leaders[0].cpu_times()[2:4])  # of children that the leader has waited for
    if kind != "worker":
        return {name: _usage(GROUPS.get(kind, kind or name), identity.pid, members, ended)}
    return {
        f"{name} parent": _usage("worker parents", identity.pid, leaders),
        f"{name} children": _usage("worker children", identity.pid, children, ended),
    }


def _usage(group: str, pid: int, processes: Iterable[psutil.Process], ended_seconds: float = 0) -> Usage:
    count, seconds, memory = 0, ended_seconds, 0
    for process in processes:
        try:
            with process.oneshot():
                seconds += sum(process.cpu_times()[:2])
                memory += process.memory_info().rss
        except psutil.NoSuchProcess:
            continue
        count += 1
    return Usage(group, pid, count, seconds, memory)


def session_usage(group: str, identity: sessions.Identity) -> Usage:
    """Return the usage of a process with all its children, also of those that have ended."""
    members = list(sessions.members(identity))
    ended = sum(sum(one.cpu_times()[2:4]) for one in members if one.pid == identity.pid)
    return _usage(group, identity.pid, members, ended)


def _this_process() -> Usage:
    return _usage(OWN_GROUP, os.getpid(), [psutil.Process()])
