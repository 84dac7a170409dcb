"""What one task costs each part: the figures that docs/scaling.md reckons with."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.contest.contender import commands_of
from bench.contest.conveyor import queue_of
from bench.contest.database import Database
from bench.effort import Effort
from bench.failure import BenchError
from bench.generators.process import Generator
from bench.limit import limit_of
from bench.results import Figure, Run
from bench.system import DRAIN_SECONDS, SLOWEST_TASKS_PER_SECOND, System
from bench.usage import Load, Usage, load_between

TABLES = ("tasks", "products", "requests")
# A rate that is worth reckoning with has many clients, whose requests share commits.
CONNECTIONS = 32
WORKER_GROUPS = ("worker parents", "worker children")


@dataclass(frozen=True)
class Counted:
    """What the queue and the database have counted since they began."""

    commands: int
    transactions: int
    log_bytes: int
    stored_bytes: int


def measure(system: System, effort: Effort) -> Sequence[Run]:
    count = effort.cost_tasks
    user_id = system.ledger.new_user()
    with Database(system.stack) as database, queue_of(system) as queue:
        port = database.primary_port()
        primary = next(name for name, taken in system.stack.ports.items() if taken == port)
        logs = system.stack.directory / primary / "data"

        def counted() -> Counted:
            return Counted(
                commands_of(queue),
                database.transactions(),
                sum(log.stat().st_size for log in logs.glob("binlog.0*")),
                database.stored_bytes(TABLES),
            )

        before, at_start = counted(), system.snapshot()
        with system.held_workers():
            accepted = _accepted(system, user_id, count)
        system.ledger.wait_until_finished(DRAIN_SECONDS + count / SLOWEST_TASKS_PER_SECOND)
        system.settle()
        at_end, after = system.snapshot(), counted()
    system.ledger.verified(user_id, accepted)
    load = load_between(at_start, at_end, cores=system.cores, tasks=count)
    title = f"costs of a task, {count} accepted, then worked off"
    return [Run(title, "costs", figures_of(load, before, after, primary), load, limit_of(load))]


def _accepted(system: System, user_id: int, count: int) -> list[str]:
    path = f"/api/users/{user_id}/create-product"
    limits = ("--connections", CONNECTIONS, "--count", count, "--seconds", 300)
    with Generator("closed_loop", system.port, path, *limits) as generator:
        result = generator.run(360)
    accepted: list[str] = result["accepted"]
    if len(accepted) != count:
        raise BenchError(f"{len(accepted)} of {count} requests were accepted, the others: {result['wrong']}")
    return accepted


def figures_of(load: Load, before: Counted, after: Counted, primary: str) -> list[Figure]:
    """Return what belongs into `docs.capacity.COSTS`."""
    groups = load.by_group()
    replicas = _cpu(load.usages, "mysqld") - load.usages[primary].cpu_seconds
    members = sum(usage.group == "mysqld" for usage in load.usages.values())
    cpu = {
        "the API": groups["api"],
        "the workers": sum(groups[name] for name in WORKER_GROUPS),
        "the primary": load.usages[primary].cpu_seconds,
        "each replica": replicas / max(members - 1, 1),
        "Redis": groups["redis"],
        "HAProxy": groups["haproxy"],
    }
    figures = [
        Figure(f"CPU of {name}", f"{seconds / load.tasks * 1000:.2f} ms") for name, seconds in cpu.items()
    ]
    counts = {
        "commands of Redis": (after.commands - before.commands, ".1f"),
        "transactions on the primary": (after.transactions - before.transactions, ".2f"),
        "bytes of the binary log": (after.log_bytes - before.log_bytes, ".0f"),
        "bytes in the tables and their indexes": (after.stored_bytes - before.stored_bytes, ".0f"),
    }
    return figures + [Figure(what, f"{count / load.tasks:{form}}") for what, (count, form) in counts.items()]


def _cpu(usages: Mapping[str, Usage], group: str) -> float:
    return sum(usage.cpu_seconds for usage in usages.values() if usage.group == group)
