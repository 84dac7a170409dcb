"""What millions of rows and a long queue cost: the same work without them and with them, in one run."""

import time
from collections.abc import Sequence

from bench.effort import Effort
from bench.generators.process import Generator, usage_of
from bench.limit import limit_of
from bench.results import Figure, Run
from bench.rows import Rows
from bench.system import System
from bench.usage import Load, load_between

CONNECTIONS = 8
MOST_TASKS_PER_SECOND = 3000


def measure(system: System, effort: Effort) -> Sequence[Run]:
    """Leave the rows where they are: this is the last that is measured of a system."""
    rows = Rows(system.stack)
    runs = _measure(system, rows, effort, f"{0:,} rows", waiting=effort.short_queue)
    rows.add(effort.rows, system.ledger.new_user())
    system.settle()
    many = f"{effort.rows:,} rows"
    runs += _measure(system, rows, effort, many, waiting=effort.short_queue)
    runs += _measure(system, rows, effort, many, waiting=effort.long_queue)
    return runs


def _measure(system: System, rows: Rows, effort: Effort, size: str, *, waiting: int) -> list[Run]:
    user_id = system.ledger.new_user()
    title = f"growth, {size} in each table, {waiting:,} waiting"
    with system.held_workers():
        system.ledger.accept_together(user_id, waiting)
        accept = _accept(system, user_id, effort.growth_seconds)
        # so that a short queue does not run dry either
        more = round(MOST_TASKS_PER_SECOND * effort.growth_seconds)
        system.ledger.accept_together(user_id, more)
        system.settle()
    work = _work(system, rows, effort.growth_seconds)
    system.drain(waiting + accept.tasks + more)
    return [
        _run(f"{title}: accept", "growth accept", "accepted", accept),
        _run(f"{title}: work off", "growth work", "worked off", work),
    ]


def _accept(system: System, user_id: int, seconds: float) -> Load:
    path = f"/api/users/{user_id}/create-product"
    arguments = ("--connections", CONNECTIONS, "--seconds", seconds)
    with Generator("closed_loop", system.port, path, *arguments) as generator:
        before = system.snapshot()
        result = generator.run(60 + seconds)
        after = system.snapshot()
    accepted = len(result["accepted"])
    return load_between(before, after, cores=system.cores, tasks=accepted, others=usage_of(result))


def _work(system: System, rows: Rows, seconds: float) -> Load:
    before, done = system.snapshot(), rows.succeeded()
    time.sleep(seconds)
    after, more = system.snapshot(), rows.succeeded()
    return load_between(before, after, cores=system.cores, tasks=more - done)


def _run(title: str, label: str, verb: str, load: Load) -> Run:
    return Run(title, label, figures_of(verb, load), load, limit_of(load))


def figures_of(verb: str, load: Load) -> list[Figure]:
    """Show the price of a task too, which is disturbed less than the rate by what else the machine does."""
    return [
        Figure(verb, f"{load.tasks / load.seconds:.0f} tasks/s"),
        Figure("CPU of the whole system", f"{load.per_thousand_tasks:.1f} s per 1,000 tasks"),
        Figure("of that, MySQL", f"{_of_mysql(load):.1f} s per 1,000 tasks"),
    ]


def _of_mysql(load: Load) -> float:
    seconds = load.by_group().get("mysqld", 0.0)
    return seconds / load.tasks * 1000 if load.tasks else float("nan")
