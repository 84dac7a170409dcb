"""What a worker's metrics cost: the same waiting tasks with and without them, by turns."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import psutil

from bench.effort import Effort
from bench.failure import BenchError
from bench.ledger import LedgerTask, tasks_per_second
from bench.limit import limit_of
from bench.results import Figure, Run
from bench.scenarios.end_to_end import fill
from bench.system import DRAIN_SECONDS, SLOWEST_TASKS_PER_SECOND, WORKERS, System
from bench.usage import Load, Usage, load_between
from stack.supervisor import ROOT

GROUP = "worker of the metrics"
LEAST_RATIO = 0.98
MOST_RATIO = 1.02
# The first tasks of fresh processes fill their caches and connections.
WARM_UP_SHARE = 0.2
START_SECONDS = 60
POLL_SECONDS = 0.02


class Turn(NamedTuple):
    """One worker's work, with metrics or without."""

    tasks_per_second: float
    cpu_milliseconds_per_task: float
    load: Load


def measure(system: System, effort: Effort) -> Sequence[Run]:
    turns: dict[bool, list[Turn]] = {True: [], False: []}
    with ExitStack() as others:
        for name in WORKERS:
            others.enter_context(system.without(name))
        for number in range(effort.metrics_turns):
            for on in (True, False) if number % 2 else (False, True):
                turns[on].append(_turn(system, effort.metrics_tasks, on=on))
    load = turns[True][-1].load
    title = f"metrics of a worker on and off, {effort.metrics_tasks} waiting"
    return [Run(title, "metrics", figures_of(turns[True], turns[False]), load, limit_of(load))]


def figures_of(with_metrics: Sequence[Turn], without: Sequence[Turn]) -> list[Figure]:
    """Compare each turn with the one beside it, as the machine is not the same for long."""
    pairs = list(zip(with_metrics, without, strict=True))
    rates = [on.tasks_per_second / off.tasks_per_second for on, off in pairs]
    costs = [on.cpu_milliseconds_per_task / off.cpu_milliseconds_per_task for on, off in pairs]
    rate, cost = median(rates), median(costs)
    return [
        Figure("with metrics", _shown(with_metrics)),
        Figure("without", _shown(without)),
        Figure("with / without, turn by turn", _listed(rates)),
        Figure("its middle", f"{rate:.3f}", f">= {LEAST_RATIO}", met=rate >= LEAST_RATIO),
        Figure("the worker's CPU per task, with / without", _listed(costs)),
        Figure("its middle", f"{cost:.3f}", f"<= {MOST_RATIO}", met=cost <= MOST_RATIO),
    ]


def _shown(turns: Sequence[Turn]) -> str:
    rates = [turn.tasks_per_second for turn in turns]
    cpu = median(turn.cpu_milliseconds_per_task for turn in turns)
    return (
        f"{median(rates):.1f} tasks/s (median of {len(rates)}: {min(rates):.1f}-{max(rates):.1f}), "
        f"{cpu:.2f} ms of CPU per task"
    )


def _listed(ratios: Sequence[float]) -> str:
    return " · ".join(f"{ratio:.3f}" for ratio in ratios)


def _turn(system: System, count: int, *, on: bool) -> Turn:
    user_id = system.ledger.new_user()
    accepted = fill(system, user_id, count)
    # the port of the worker that is missing: Prometheus asks for the metrics as it always does
    environment = system.stack.env_for(WORKERS[0])
    if not on:
        environment["WORKER_METRICS_PORT"] = "0"
    with _running(environment) as worker:
        before, usage = system.snapshot(), _usage(worker)
        system.ledger.wait_until_finished(DRAIN_SECONDS + count / SLOWEST_TASKS_PER_SECOND)
        after, used = system.snapshot(), _usage(worker) - usage
    tasks = system.ledger.verified(user_id, accepted)
    others = {GROUP: Usage(GROUP, 0, 1, used)}
    load = load_between(before, after, cores=system.cores, tasks=count, others=others)
    return Turn(steady_rate(tasks), used / count * 1000, load)


def steady_rate(tasks: Sequence[LedgerTask]) -> float:
    """Return the rate of all but the first tasks."""
    in_order = sorted(tasks, key=lambda task: task.started)
    return tasks_per_second(in_order[int(len(in_order) * WARM_UP_SHARE) :])


@contextmanager
def _running(environment: Mapping[str, str]) -> Iterator[psutil.Process]:
    """Run a worker of the system's own, from when it is ready."""
    with tempfile.TemporaryDirectory(prefix="conveyor-bench-") as folder:
        ready = Path(folder) / "ready"
        own = {
            "WORKER_READY_FILE": str(ready),
            "WORKER_HEARTBEAT_FILE": f"{folder}/heartbeat",
            "TMPDIR": folder,
        }
        with subprocess.Popen(
            [sys.executable, "-m", "worker"],
            cwd=ROOT,
            env={**os.environ, **environment, **own},
            stdout=subprocess.DEVNULL,
        ) as process:
            worker = psutil.Process(process.pid)
            try:
                _wait_for(ready, process)
                yield worker
            finally:
                process.terminate()
                _end(worker)


def _wait_for(ready: Path, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if process.poll() is not None or time.monotonic() > deadline:
            raise BenchError("the worker of the metrics was not ready, see above")
        time.sleep(POLL_SECONDS)


def _end(worker: psutil.Process) -> None:
    try:
        worker.wait(START_SECONDS)
    except psutil.TimeoutExpired:
        for one in [*worker.children(recursive=True), worker]:
            one.kill()


def _usage(worker: psutil.Process) -> float:
    """Return the CPU seconds of the worker's parent and of its children, also of those that have ended."""
    return sum(worker.cpu_times()[:4]) + sum(sum(child.cpu_times()[:2]) for child in worker.children())
