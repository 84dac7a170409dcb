"""Tasks per second of the safe transport beside kombu's own, on the same work and by turns."""

import time
from collections.abc import Sequence
from statistics import median
from typing import NamedTuple

import psutil

from bench.contest.noop import own_program, refill
from bench.contest.programs import NOWHERE, running
from bench.effort import Effort
from bench.limit import limit_of
from bench.queue_server import QUEUE, SAFE, QueueServer
from bench.results import Figure, Run
from bench.system import System
from bench.usage import Load, Usage, load_between

STOCK = "redis"
PREFETCHES = (1, 16)
AIM = 1.0
# The start of a worker, and the first tasks of its processes, are not what is compared.
WARM_UP_SHARE = 0.2


class Turn(NamedTuple):
    """One transport's turn."""

    tasks_per_second: float
    commands_per_task: float
    load: Load


def measure(system: System, effort: Effort) -> Sequence[Run]:
    with QueueServer(system.stack.config.daemons) as server:
        return [_compare(system, server, effort, prefetch) for prefetch in PREFETCHES]


def _compare(system: System, server: QueueServer, effort: Effort, prefetch: int) -> Run:
    turns: dict[str, list[Turn]] = {STOCK: [], SAFE: []}
    for number in range(effort.transport_turns):
        for transport in (STOCK, SAFE) if number % 2 else (SAFE, STOCK):
            turns[transport].append(_turn(system, server, transport, prefetch, effort.transport_tasks))
    load = turns[SAFE][-1].load
    title = f"transport, prefetch {prefetch} per process, {effort.transport_tasks} tasks"
    return Run(title, f"transport {prefetch}", figures_of(turns[STOCK], turns[SAFE]), load, limit_of(load))


def figures_of(stock: Sequence[Turn], safe: Sequence[Turn]) -> list[Figure]:
    rates = [median(turn.tasks_per_second for turn in turns) for turns in (stock, safe)]
    commands = [median(turn.commands_per_task for turn in turns) for turns in (stock, safe)]
    ratio = rates[1] / rates[0]
    return [
        Figure("kombu's own", _shown(stock, rates[0])),
        Figure("the safe one", _shown(safe, rates[1])),
        Figure("safe / own", f"{ratio:.2f}", f">= {AIM:.1f}", met=ratio >= AIM),
        Figure("Redis commands per task, own · safe", " · ".join(f"{count:.1f}" for count in commands)),
    ]


def _shown(turns: Sequence[Turn], middle: float) -> str:
    rates = [turn.tasks_per_second for turn in turns]
    return f"{middle:.0f} tasks/s (median of {len(turns)}: {min(rates):.0f}-{max(rates):.0f})"


def _turn(system: System, server: QueueServer, transport: str, prefetch: int, count: int) -> Turn:
    refill(server, own_program("fill", server.port, count), QUEUE, count)
    with running([own_program("work", server.port, transport, prefetch)], NOWHERE) as [identity]:
        worker = psutil.Process(identity.pid)
        first = server.wait_until_left(QUEUE, count * (1 - WARM_UP_SHARE))
        server.forget_commands()
        before, began = system.snapshot(), time.monotonic()
        usages = _usages(worker, server)
        server.wait_until_left(QUEUE, 0)
        seconds, after = time.monotonic() - began, system.snapshot()
        others = {name: _between(usages[name], usage) for name, usage in _usages(worker, server).items()}
    load = load_between(before, after, cores=system.cores, tasks=first, others=others)
    return Turn(first / seconds, server.commands() / first, load)


def _usages(worker: psutil.Process, server: QueueServer) -> dict[str, Usage]:
    groups = {
        "redis of the transports": [psutil.Process(server.process.pid)],
        "worker parent of the transports": [worker],
        "worker children of the transports": worker.children(),
    }
    return {
        name: Usage(name, 0, len(processes), sum(sum(one.cpu_times()[:2]) for one in processes))
        for name, processes in groups.items()
    }


def _between(before: Usage, after: Usage) -> Usage:
    return Usage(after.group, after.pid, after.processes, after.cpu_seconds - before.cpu_seconds)
