"""How long a process takes from its start until it is ready, and a whole system until all of it is."""

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from bench.effort import Effort
from bench.failure import BenchError
from bench.limit import limit_of
from bench.results import Figure, Run
from bench.system import RUNS, System
from bench.usage import Usage, load_between
from stack.ports import free_ports
from stack.probes import FileProbe, HttpProbe, Probe
from stack.supervisor import ROOT, Stack, StackConfig

GROUP = "started processes"
DEADLINE_SECONDS = 60.0
POLL_SECONDS = 0.01
SYSTEM_AIM_SECONDS = 10.0
PORT = {"app": "API_PORT", "worker": "WORKER_METRICS_PORT", "worker.relay": "RELAY_METRICS_PORT"}


class Kind(NamedTuple):
    """A process that is started beside the system's own, in the environment of one of these."""

    name: str
    module: str
    like: str
    aim_seconds: float | None = None


class Start(NamedTuple):
    """One start: how long it took, and the CPU seconds that it cost."""

    seconds: float
    cpu_seconds: float


KINDS = (
    Kind("API", "app", "api-1", 1.5),
    Kind("worker", "worker", "worker-1", 2.0),
    Kind("relay", "worker.relay", "relay-1"),
)


def measure(system: System, effort: Effort) -> Sequence[Run]:
    before = system.snapshot()
    starts = {kind: [_start(system, kind) for _ in range(effort.starts)] for kind in KINDS}
    used = sum(start.cpu_seconds for some in starts.values() for start in some)
    others = {GROUP: Usage(GROUP, 0, 1, used)}
    load = load_between(before, system.snapshot(), cores=system.cores, tasks=0, others=others)
    figures = [*(figure_of(kind, some) for kind, some in starts.items()), _whole_system(system, effort)]
    title = f"start, {effort.starts} times each, beside a running system"
    return [Run(title, "start", figures, load, limit_of(load))]


def figure_of(kind: Kind, starts: Sequence[Start]) -> Figure:
    seconds = [start.seconds for start in starts]
    middle = median(seconds)
    value = (
        f"{middle:.2f} s (median; {min(seconds):.2f}-{max(seconds):.2f}), "
        f"{median(start.cpu_seconds for start in starts):.2f} s of CPU"
    )
    what = f"{kind.name}: started → ready"
    if kind.aim_seconds is None:
        return Figure(what, value)
    return Figure(what, value, f"< {kind.aim_seconds} s", met=middle < kind.aim_seconds)


def _start(system: System, kind: Kind) -> Start:
    with tempfile.TemporaryDirectory(prefix="conveyor-bench-") as folder:
        port = free_ports()["http"]
        ready_file = Path(folder) / "ready"
        own = {
            "REPLICA_NAME": "bench-start",
            PORT[kind.module]: str(port),
            "API_DRAIN_SECONDS": "0",
            "WORKER_READY_FILE": str(ready_file),
            "WORKER_HEARTBEAT_FILE": f"{folder}/heartbeat",
            "TMPDIR": folder,
        }
        ready: Probe = FileProbe(ready_file, None) if kind.module == "worker" else HttpProbe(port, "/readyz")
        return _time(kind, {**os.environ, **system.stack.env_for(kind.like), **own}, ready)


def _time(kind: Kind, environment: Mapping[str, str], ready: Probe) -> Start:
    started = time.monotonic()
    with subprocess.Popen(
        [sys.executable, "-m", kind.module], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            while reason := ready.check():
                if process.poll() is not None or time.monotonic() - started > DEADLINE_SECONDS:
                    raise BenchError(f"a {kind.name} that was started is not ready: {reason}")
                time.sleep(POLL_SECONDS)
            return Start(time.monotonic() - started, _cpu_seconds(process.pid))
        finally:
            process.terminate()


def _cpu_seconds(pid: int) -> float:
    """Return what the process and its children have used."""
    leader = psutil.Process(pid)
    return float(sum(sum(one.cpu_times()[:2]) for one in (leader, *leader.children(recursive=True))))


def _whole_system(system: System, effort: Effort) -> Figure:
    """Start another system, whose data is there, beside the one that rests."""
    directory = RUNS / f"{os.getpid()}-start"
    config = StackConfig(directory, free_ports(), system.stack.config.daemons)
    seconds = []
    try:
        for _ in range(effort.system_starts + 1):
            stack = Stack(config)
            started = time.monotonic()
            stack.start(DEADLINE_SECONDS * 4)
            seconds.append(time.monotonic() - started)
            stack.stop()
    finally:
        shutil.rmtree(directory, ignore_errors=True)
    first, *later = seconds
    middle = median(later)
    value = f"{middle:.1f} s (median of {len(later)}), {first:.1f} s without data"
    aim = f"< {SYSTEM_AIM_SECONDS:.0f} s"
    return Figure("everything: started → ready, warm", value, aim, met=middle < SYSTEM_AIM_SECONDS)
