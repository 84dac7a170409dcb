"""How much cheaper tasks are accepted together than one by one, each a committed row of the ledger."""

import time
from collections.abc import Sequence
from statistics import median

from bench.effort import Effort
from bench.generators.process import Generator
from bench.limit import limit_of
from bench.results import Figure, Run
from bench.system import System
from bench.usage import load_between

CONNECTIONS = 8
LEAST_RATIO = 10.0


def measure(system: System, effort: Effort) -> Sequence[Run]:
    one_by_one: list[float] = []
    together: list[float] = []
    with system.held_workers():
        for _ in range(effort.bulk_turns):
            one_by_one.append(_one_by_one(system, effort.accept_seconds))
            before = system.snapshot()
            together.append(_together(system, effort.bulk_tasks))
            after = system.snapshot()
    load = load_between(before, after, cores=system.cores, tasks=effort.bulk_tasks)
    system.drain(effort.bulk_turns * effort.bulk_tasks)
    title = f"bulk, {effort.bulk_tasks} tasks in a turn"
    return [Run(title, "bulk", figures_of(one_by_one, together), load, limit_of(load))]


def figures_of(one_by_one: Sequence[float], together: Sequence[float]) -> list[Figure]:
    """Compare tasks per second, each turn with the one before it."""
    ratios = [many / one for one, many in zip(one_by_one, together, strict=True)]
    ratio = median(ratios)
    shown = f"{ratio:.1f} ({' · '.join(f'{each:.1f}' for each in ratios)})"
    return [
        Figure(f"a request per task, {CONNECTIONS} connections", _shown(one_by_one)),
        Figure("1,000 tasks per request, one connection", _shown(together)),
        Figure("together / one by one", shown, f">= {LEAST_RATIO}", met=ratio >= LEAST_RATIO),
    ]


def _one_by_one(system: System, seconds: float) -> float:
    path = f"/api/users/{system.ledger.new_user()}/create-product"
    arguments = ("--connections", CONNECTIONS, "--seconds", seconds)
    with Generator("closed_loop", system.port, path, *arguments) as generator:
        result = generator.run(60 + seconds)
    return float(len(result["accepted"]) / result["seconds"])


def _together(system: System, count: int) -> float:
    user_id = system.ledger.new_user()
    started = time.monotonic()
    system.ledger.accept_together(user_id, count)
    return count / (time.monotonic() - started)


def _shown(rates: Sequence[float]) -> str:
    return f"{median(rates):.0f} tasks/s (median of {len(rates)}: {min(rates):.0f}-{max(rates):.0f})"
