"""How many waiting tasks per second take effect."""

from collections.abc import Sequence

from bench.effort import Effort
from bench.ledger import LedgerTask, tasks_per_second
from bench.limit import limit_of
from bench.percentiles import percentiles
from bench.results import Figure, Run
from bench.scenarios.idle_latency import shown
from bench.system import DRAIN_SECONDS, SLOWEST_TASKS_PER_SECOND, WORKERS, System
from bench.usage import load_between


def measure(system: System, effort: Effort) -> Sequence[Run]:
    with system.without(WORKERS[-1]):
        one = _work_off(system, effort.waiting_tasks, len(WORKERS) - 1)
    return [one, _work_off(system, effort.waiting_tasks, len(WORKERS))]


def _work_off(system: System, count: int, workers: int) -> Run:
    user_id = system.ledger.new_user()
    deadline = DRAIN_SECONDS + count / SLOWEST_TASKS_PER_SECOND
    with system.held_workers():
        accepted = system.ledger.accept_together(user_id, count)
        system.settle()
        before = system.snapshot()
    system.ledger.wait_until_finished(deadline)
    after = system.snapshot()
    tasks = system.ledger.verified(user_id, accepted)
    load = load_between(before, after, cores=system.cores, tasks=count)
    plural = "s" if workers > 1 else ""
    title = f"end to end, {count} waiting, {workers} worker{plural}"
    return Run(title, f"{workers} worker{plural}", figures_of(tasks), load, limit_of(load))


def figures_of(tasks: Sequence[LedgerTask]) -> list[Figure]:
    run = percentiles([(task.finished - task.started) * 1000 for task in tasks])
    workers = sorted({task.worker for task in tasks})
    shares = [f"{name} {sum(task.worker == name for task in tasks)}" for name in workers]
    return [
        Figure("first started_at → last finished_at", f"{tasks_per_second(tasks):.0f} tasks/s"),
        Figure("started_at → finished_at of one task", shown(run)),
        Figure("succeeded, each with its one product", f"{len(tasks)}: {', '.join(shares)}"),
    ]
