"""How much memory each process keeps, before and after load."""

from collections.abc import Mapping, Sequence

from bench.effort import Effort
from bench.generators.process import Generator, usage_of
from bench.limit import limit_of
from bench.results import Figure, Run, Table
from bench.system import System
from bench.usage import Usage, load_between

AIM_MB = 120
MEGABYTE = 1_000_000
AIMED_GROUPS = {"api": "largest API process", "worker parents": "largest parent of a worker"}
CONNECTIONS = 16


def measure(system: System, effort: Effort) -> Sequence[Run]:
    user_id, count = system.ledger.new_user(), effort.memory_tasks
    arguments = (f"/api/users/{user_id}/create-product", "--connections", CONNECTIONS, "--count", count)
    with Generator("closed_loop", system.port, *arguments) as generator:
        before = system.snapshot()
        result = generator.run(300)
        after_load = system.snapshot()
    system.drain(count)
    system.ledger.verified(user_id, result["accepted"], unclear=sum(result["wrong"].values()))
    after = system.snapshot().usages
    load = load_between(before, after_load, cores=system.cores, tasks=count, others=usage_of(result))
    title = "memory (RSS), idle and after load"
    idle = system.at_start.usages
    table = Table("Memory", details_of(idle, after))
    return [Run(title, "memory", figures_of(idle, after), load, limit_of(load), [table])]


def figures_of(idle: Mapping[str, Usage], after: Mapping[str, Usage]) -> list[Figure]:
    figures = []
    for group, what in AIMED_GROUPS.items():
        first, last = (_largest(usages, group) for usages in (idle, after))
        value = f"{first / MEGABYTE:.0f} MB idle · {last / MEGABYTE:.0f} MB after load"
        met = max(first, last) < AIM_MB * MEGABYTE
        figures.append(Figure(what, value, f"< {AIM_MB} MB", met=met))
    return figures


def details_of(idle: Mapping[str, Usage], after: Mapping[str, Usage]) -> list[list[str]]:
    """Return a row per process, or per worker's children together."""
    rows = [["process", "processes", "idle MB", "after MB"]]
    for name, usage in after.items():
        first = _megabytes(idle[name].memory_bytes) if name in idle else "-"
        rows.append([name, str(usage.processes), first, _megabytes(usage.memory_bytes)])
    return rows


def _largest(usages: Mapping[str, Usage], group: str) -> int:
    return max(usage.memory_bytes for usage in usages.values() if usage.group == group)


def _megabytes(size: int) -> str:
    return f"{size / MEGABYTE:.0f}"
