"""How long a silent member is waited for, measured: what a kill costs, and who is expelled by mistake."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

from bench.percentiles import percentiles
from bench.tables import for_terminal
from tests.failover.campaign import carry_out, endured
from tests.failover.plan import Fault, Kind
from tests.failover.system import System
from tests.stack.mysql_group import ORDINALS

TIMEOUTS = (0, 1, 5)
KILLS = 3
BUSY_PROCESSES = 8
BUSY_SECONDS = 180.0
BUSY = f"{BUSY_PROCESSES} busy processes on {os.cpu_count()} processors, s"
BUSY_LOOP = "while True: pass"
VIEW = "SELECT view_id FROM performance_schema.replication_group_member_stats WHERE member_id = @@server_uuid"


@dataclass(frozen=True)
class Measured:
    """What one value of the setting brought about."""

    timeout: int
    pauses: tuple[float, ...]  # without writes, after kill -9 of the primary
    busy_seconds: float
    views: int  # changes of the membership while the processors were busy and nobody was hurt
    restarts: int  # of servers that were expelled
    busy_pause: float


@dataclass(frozen=True)
class Effort:
    kills: int = KILLS
    busy_seconds: float = BUSY_SECONDS


def measure(system: System, effort: Effort, progress: Callable[[str], None]) -> list[Measured]:
    return [_measure(system, effort, timeout, progress) for timeout in TIMEOUTS]


def settings_table(found: list[Measured]) -> str:
    cells: dict[str, Callable[[Measured], str]] = {
        "group_replication_member_expel_timeout": lambda one: str(one.timeout),
        "kills of the primary": lambda one: str(len(one.pauses)),
        "no writes, p50, s": lambda one: f"{percentiles(one.pauses).p50:.1f}",
        "no writes, max, s": lambda one: f"{max(one.pauses):.1f}",
        BUSY: lambda one: f"{one.busy_seconds:.0f}",
        "changes of the membership": lambda one: str(one.views),
        "servers expelled": lambda one: str(one.restarts),
        "longest pause in writes, s": lambda one: f"{one.busy_pause:.1f}",
    }
    return for_terminal([(name, *map(cell, found)) for name, cell in cells.items()], numbers_right=True)


def _measure(system: System, effort: Effort, timeout: int, progress: Callable[[str], None]) -> Measured:
    pauses = []
    for number in range(effort.kills):
        progress(f"expel timeout {timeout}: kill {number + 1} of {effort.kills}")
        _set(system, timeout)
        pauses.append(carry_out(system, Fault(Kind.PRIMARY_KILL, 0, 0)).longest_pause)
    progress(f"expel timeout {timeout}: {BUSY_PROCESSES} busy processes for {effort.busy_seconds:.0f} s")
    _set(system, timeout)
    views, restarts = _view(system), _restarts(system)
    case = f"busy processors, expel timeout {timeout}"
    outcome = endured(system, case, lambda: _be_busy(effort.busy_seconds))
    return Measured(
        timeout,
        tuple(pauses),
        effort.busy_seconds,
        views=_view(system) - views,
        restarts=_restarts(system) - restarts,
        busy_pause=outcome.longest_pause,
    )


def _set(system: System, timeout: int) -> None:
    """Set it everywhere; a server that starts anew begins with what its file says."""
    system.group.wait_complete()
    for ordinal in ORDINALS:
        with system.group.session(system.group.server(ordinal), as_agent=True) as cursor:
            cursor.execute("SET GLOBAL group_replication_member_expel_timeout = %s", (timeout,))


def _view(system: System) -> int:
    """Return the number of the membership, which each change raises by one."""
    with system.group.session(system.group.server(system.group.primary())) as cursor:
        cursor.execute(VIEW)
        [[view]] = cursor.fetchall()
        return int(str(view).rpartition(":")[2])


def _restarts(system: System) -> int:
    return sum(system.stack.service(system.group.server(ordinal)).restarts for ordinal in ORDINALS)


def _be_busy(seconds: float) -> None:
    processes = [subprocess.Popen((sys.executable, "-c", BUSY_LOOP)) for _ in range(BUSY_PROCESSES)]
    try:
        time.sleep(seconds)
    finally:
        for process in processes:
            process.kill()
            process.wait()
