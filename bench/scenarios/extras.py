"""What a worker's metrics, log lines and traces cost: the same waiting tasks with and without, by turns."""

import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

from bench.collector import collector
from bench.contest.programs import NOWHERE, Program, running
from bench.effort import Effort
from bench.failure import BenchError
from bench.ledger import LedgerTask, tasks_per_second
from bench.limit import limit_of
from bench.processes import session_usage
from bench.results import Figure, Run
from bench.system import DRAIN_SECONDS, SLOWEST_TASKS_PER_SECOND, WORKERS, System
from bench.usage import Load, Usage, load_between
from stack import sessions
from stack.supervisor import ROOT

GROUP = "worker of the extras"
AS_IT_COMES = "as it comes"
# The most that all of it together may add to the CPU time of a task.
MOST_RATIO = 1.05
# The first tasks of fresh processes fill their caches and connections.
WARM_UP_SHARE = 0.2
START_SECONDS = 60
POLL_SECONDS = 0.02

Environment = Mapping[str, str]


class Turn(NamedTuple):
    """One worker's work."""

    tasks_per_second: float
    cpu_milliseconds_per_task: float
    load: Load


def variants(collector_url: str) -> dict[str, Environment]:
    """Return what is compared: a setting that makes the difference to how it comes."""
    return {
        AS_IT_COMES: {},
        "without metrics": {"WORKER_METRICS_PORT": "0"},
        "without a line per task": {"LOG_LEVEL": "WARNING"},
        "without either": {"WORKER_METRICS_PORT": "0", "LOG_LEVEL": "WARNING"},
        "with traces": {"OTEL_EXPORTER_OTLP_ENDPOINT": collector_url},
    }


def measure(system: System, effort: Effort) -> Sequence[Run]:
    with ExitStack() as opened:
        for name in WORKERS:
            opened.enter_context(system.without(name))
        compared = variants(opened.enter_context(collector()))
        turns: dict[str, list[Turn]] = {name: [] for name in compared}
        for number in range(effort.extras_turns):
            for name in list(compared)[:: -1 if number % 2 else 1]:
                turns[name].append(_turn(system, effort.extras_tasks, compared[name]))
    load = turns[AS_IT_COMES][-1].load
    title = f"extras of a worker on and off, {effort.extras_tasks} waiting"
    return [Run(title, "extras", figures_of(turns), load, limit_of(load))]


def figures_of(turns: Mapping[str, Sequence[Turn]]) -> list[Figure]:
    """Compare the least of each: what disturbs a turn adds to its CPU time, and never takes away."""
    as_it_comes = turns[AS_IT_COMES]
    figures = [Figure(name, _shown(of_one)) for name, of_one in turns.items()]
    for name, others in turns.items():
        if name != AS_IT_COMES:
            figures += _compared(name, as_it_comes, others)
    return figures


def _compared(name: str, as_it_comes: Sequence[Turn], others: Sequence[Turn]) -> list[Figure]:
    """Relate the more to the less, so that a ratio above 1 is what the extra costs."""
    is_more = name.startswith("with ")
    more, less = (others, as_it_comes) if is_more else (as_it_comes, others)
    ratio = _least_cpu(more) / _least_cpu(less)
    what = f"CPU per task, {name if is_more else AS_IT_COMES} / {AS_IT_COMES if is_more else name}"
    if is_more:  # nobody has to
        return [Figure(what, f"{ratio:.3f}")]
    return [Figure(what, f"{ratio:.3f}", f"<= {MOST_RATIO}", met=ratio <= MOST_RATIO)]


def _least_cpu(turns: Sequence[Turn]) -> float:
    return min(turn.cpu_milliseconds_per_task for turn in turns)


def _shown(turns: Sequence[Turn]) -> str:
    rates = [turn.tasks_per_second for turn in turns]
    cpu = [turn.cpu_milliseconds_per_task for turn in turns]
    return (
        f"{median(rates):.0f} tasks/s (median of {len(rates)}: {min(rates):.0f}-{max(rates):.0f}), "
        f"{min(cpu):.3f} ms of CPU per task (least; median {median(cpu):.3f}, most {max(cpu):.3f})"
    )


def _turn(system: System, count: int, changed: Environment) -> Turn:
    user_id = system.ledger.new_user()
    accepted = system.ledger.accept_together(user_id, count)
    system.settle()
    # the port of the worker that is missing: Prometheus asks for the metrics as it always does
    with _running({**system.stack.env_for(WORKERS[0]), **changed}) as worker:
        before, usage = system.snapshot(), session_usage(GROUP, worker)
        system.ledger.wait_until_finished(DRAIN_SECONDS + count / SLOWEST_TASKS_PER_SECOND)
        after = system.snapshot()
        used = session_usage(GROUP, worker).cpu_seconds - usage.cpu_seconds
    tasks = system.ledger.verified(user_id, accepted)
    others = {GROUP: Usage(GROUP, 0, 1, used)}
    load = load_between(before, after, cores=system.cores, tasks=count, others=others)
    return Turn(steady_rate(tasks), used / count * 1000, load)


def steady_rate(tasks: Sequence[LedgerTask]) -> float:
    """Return the rate of all but the first tasks."""
    in_order = sorted(tasks, key=lambda task: task.started)
    return tasks_per_second(in_order[int(len(in_order) * WARM_UP_SHARE) :])


@contextmanager
def _running(environment: Environment) -> Iterator[sessions.Identity]:
    """Run a worker of the system's own, from when it is ready."""
    with tempfile.TemporaryDirectory(prefix="conveyor-bench-") as folder:
        ready = Path(folder) / "ready"
        own = {
            "WORKER_READY_FILE": str(ready),
            "WORKER_HEARTBEAT_FILE": f"{folder}/heartbeat",
            "TMPDIR": folder,
        }
        program = Program((sys.executable, "-m", "worker"), {**environment, **own}, ROOT)
        with running([program], NOWHERE) as [worker]:
            _wait_for(ready, worker)
            yield worker


def _wait_for(ready: Path, worker: sessions.Identity) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready.exists():
        if not sessions.is_alive(worker) or time.monotonic() > deadline:
            raise BenchError(f"a worker of the extras ended, or was not ready after {START_SECONDS} s")
        time.sleep(POLL_SECONDS)
