"""How long one task takes while nothing else is to be done."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.effort import Effort
from bench.generators.one_by_one import Followed
from bench.generators.process import Generator, usage_of
from bench.ledger import LedgerTask
from bench.limit import limit_of
from bench.percentiles import Percentiles, percentiles
from bench.results import Figure, Run
from bench.system import System
from bench.usage import load_between

AIM_P50_MS, AIM_P99_MS = 25, 60
SECONDS_PER_TASK = 2


def measure(system: System, effort: Effort) -> Sequence[Run]:
    user_id, count = system.ledger.new_user(), effort.latency_tasks
    path = f"/api/users/{user_id}/create-product"
    with Generator("one_by_one", system.port, path, "--count", count) as generator:
        before = system.snapshot()
        result = generator.run(60 + count * SECONDS_PER_TASK)
        after = system.snapshot()
    followed = [Followed(**one) for one in result["followed"]]
    tasks = {
        task.task_id: task for task in system.ledger.verified(user_id, [one.task_id for one in followed])
    }
    load = load_between(before, after, cores=system.cores, tasks=count, others=usage_of(result))
    phases = phases_of(followed, tasks)
    parts = [Figure(f"- {name}", f"p50 {milliseconds:.1f} ms") for name, milliseconds in phases.items()]
    figures = [*_latencies(followed, tasks), *parts]
    limit = f"{longest_phase(phases)} {limit_of(load)}"
    return [Run(f"idle latency, {count} tasks in turn", "idle", figures, load, limit)]


def phases_of(followed: Sequence[Followed], tasks: Mapping[str, LedgerTask]) -> dict[str, float]:
    """Return the median milliseconds of each part of the way; one machine, hence one clock."""
    pairs = [(one, tasks[one.task_id]) for one in followed]
    parts = {
        "request → row written": [task.created - one.sent for one, task in pairs],
        "row written → started": [task.started - task.created for _, task in pairs],
        "started → finished": [task.finished - task.started for _, task in pairs],
        "finished → committed and seen": [one.seen - task.finished for one, task in pairs],
    }
    return {name: median(seconds) * 1000 for name, seconds in parts.items()}


def longest_phase(phases: Mapping[str, float]) -> str:
    name = max(phases, key=lambda name: phases[name])
    return f"Longest part: {name}, {phases[name]:.1f} of {sum(phases.values()):.1f} ms."


def _latencies(followed: Sequence[Followed], tasks: Mapping[str, LedgerTask]) -> list[Figure]:
    seen = percentiles([(one.seen - one.sent) * 1000 for one in followed])
    ledger = percentiles([(task.finished - task.created) * 1000 for task in tasks.values()])
    answered = percentiles([(one.answered - one.sent) * 1000 for one in followed])
    aim = f"p50 < {AIM_P50_MS} ms, p99 < {AIM_P99_MS} ms"
    met = ledger.p50 < AIM_P50_MS and ledger.p99 < AIM_P99_MS
    return [
        Figure("request sent → task seen succeeded", shown(seen)),
        Figure("created_at → finished_at in the ledger", shown(ledger), aim, met=met),
        Figure("request sent → 202 received", shown(answered)),
    ]


def shown(milliseconds: Percentiles) -> str:
    p50, p99, largest = milliseconds
    return f"p50 {p50:.1f} · p99 {p99:.1f} · max {largest:.1f} ms"
