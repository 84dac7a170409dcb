"""Whether memory grows with the number of tasks: what each process keeps, at intervals of a long run."""

from collections.abc import Mapping, Sequence

from bench.effort import Effort
from bench.generators.process import Generator, usage_of
from bench.limit import limit_of
from bench.results import Figure, Run, Table
from bench.system import System
from bench.usage import Snapshot, Usage, load_between

LOOKS = 10
# Pools, caches and the allocator have what they need by then.
FIRST_LOOK = 2
CONNECTIONS = 32
MEGABYTE = 1_000_000
MOST_GROWTH = 1.05
# The processes of a worker's pool are not among them: each is replaced after 10,000 tasks.
AIMED_GROUPS = {"api": "the API's processes", "worker parents": "parents of the workers", "relays": "relays"}


def measure(system: System, effort: Effort) -> Sequence[Run]:
    count = max(effort.footprint_tasks // LOOKS, 1)
    path = f"/api/users/{system.ledger.new_user()}/create-product"
    arguments = ("--connections", CONNECTIONS, "--count", count, "--seconds", 3600)
    looks, generated = [system.snapshot()], {}
    for _ in range(LOOKS):
        with Generator("closed_loop", system.port, path, *arguments) as generator:
            result = generator.run(3660)
        generated = usage_of(result)
        system.drain(count)
        looks.append(system.snapshot())
    load = load_between(looks[0], looks[-1], cores=system.cores, tasks=count * LOOKS, others=generated)
    title = f"memory (RSS) over {count * LOOKS:,} tasks"
    table = Table("Memory over many tasks", details_of(looks, count))
    return [Run(title, "footprint", figures_of(looks, count), load, limit_of(load), [table])]


def figures_of(looks: Sequence[Snapshot], tasks_between: int) -> list[Figure]:
    figures = []
    for group, what in AIMED_GROUPS.items():
        first, last = (_memory(looks[look].usages, group) for look in (FIRST_LOOK, -1))
        value = (
            f"{first / MEGABYTE:.0f} MB after {FIRST_LOOK * tasks_between:,} tasks · "
            f"{last / MEGABYTE:.0f} MB after {(len(looks) - 1) * tasks_between:,}"
        )
        aim = f"<= {MOST_GROWTH:.2f} times as much"
        figures.append(Figure(what, value, aim, met=last <= first * MOST_GROWTH))
    return figures


def details_of(looks: Sequence[Snapshot], tasks_between: int) -> list[list[str]]:
    """Return a row per process, or per worker's children together, with a column per look."""
    head = ["MB after tasks", *(f"{look * tasks_between:,}" for look in range(len(looks)))]
    names = looks[-1].usages
    return [head, *([name, *(_megabytes(look.usages.get(name)) for look in looks)] for name in names)]


def _memory(usages: Mapping[str, Usage], group: str) -> int:
    return sum(usage.memory_bytes for usage in usages.values() if usage.group == group)


def _megabytes(usage: Usage | None) -> str:
    return f"{usage.memory_bytes / MEGABYTE:.0f}" if usage else "-"
