"""One contender's turn: as many requests as are to be, then the tasks that they left."""

import time
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

from bench.contest.contender import WORKER, Contender
from bench.contest.database import Database, Row
from bench.contest.peer_system import usages
from bench.contest.programs import running
from bench.failure import BenchError
from bench.generators.process import Generator, usage_of
from bench.percentiles import Percentiles, percentiles
from bench.system import System
from bench.usage import Load, Snapshot, load_between
from stack import sessions

CONNECTIONS = 16
# The start of a worker, and the first tasks of its processes, are not what is compared.
WARM_UP_SHARE = 0.2
POLL_SECONDS = 0.05
# After this long without a new row, what is missing is lost.
STILL_SECONDS = 20
ACCEPT_SECONDS = 120
# Acknowledgements and marks that follow the last row.
SETTLE_SECONDS = 1.0


@dataclass(frozen=True)
class Turn:
    """What one contender did with one lot of requests."""

    processes: int
    requests_per_second: float
    milliseconds: Percentiles
    generator_share: float
    wrong_answers: int
    accepting: Load
    tasks_per_second: float
    working: Load
    commands_per_task: float
    transactions_per_task: float
    lost: int
    doubled: int


class Contest:
    """What all contenders share: the machine, the group of MySQL servers, the way they are measured."""

    def __init__(self, system: System, database: Database) -> None:
        self.system = system
        self.database = database
        self.log = system.stack.directory / "contest.log"

    def play(self, contender: Contender, count: int, processes: int) -> Turn:
        """Have requests accepted while no worker runs, then work the tasks off."""
        user_id = self.system.ledger.new_user()
        commands, transactions = contender.commands(), self.database.transactions()
        result, accepting = self._accept(contender, user_id, count)
        time.sleep(SETTLE_SECONDS)
        tasks = len(result["accepted"])
        working = self._work_off(contender, user_id, tasks, processes)
        commands = contender.commands() - commands
        transactions = self.database.transactions() - transactions
        rows = self.database.products(contender.table, user_id)
        return Turn(
            processes,
            tasks / result["seconds"],
            percentiles(result["milliseconds"]),
            result["cpu_seconds"] / result["seconds"],
            sum(result["wrong"].values()),
            accepting,
            steady_rate(rows),
            working,
            commands / tasks,
            transactions / tasks,
            *verdict(result["accepted"], rows),
        )

    def _accept(self, contender: Contender, user_id: int, count: int) -> tuple[dict[str, Any], Load]:
        with requests(contender, user_id, count) as generator:
            before = self.snapshot(contender, [])
            result = generator.run(ACCEPT_SECONDS + 60)
            after = self.snapshot(contender, [])
        if not (tasks := len(result["accepted"])):
            raise BenchError(f"{contender.name} accepted none of {count} requests: {result['wrong']}")
        cores, others = self.system.cores, usage_of(result)
        return result, load_between(before, after, cores=cores, tasks=tasks, others=others)

    def _work_off(self, contender: Contender, user_id: int, count: int, processes: int) -> Load:
        done = partial(self.database.count, contender.table, user_id)
        with running(contender.workers(processes), self.log) as workers:
            wait_for(done, int(count * WARM_UP_SHARE), STILL_SECONDS)
            before = self.snapshot(contender, workers)
            first = done()  # right after the workers' seconds, which are read last
            last = wait_for(done, count, STILL_SECONDS)
            after = self.snapshot(contender, workers)
            time.sleep(SETTLE_SECONDS)
        if last == first:
            said = self.log.read_text(encoding="utf-8", errors="replace")[-2000:]
            raise BenchError(f"the workers of {contender.name} did nothing more after their start:\n{said}")
        return load_between(before, after, cores=self.system.cores, tasks=last - first)

    def snapshot(self, contender: Contender, workers: Sequence[sessions.Identity]) -> Snapshot:
        """Read the counters of the system's processes and of the contender's own."""
        snapshot = self.system.snapshot()
        own = {**contender.serving(), **usages({WORKER: workers})}
        return replace(snapshot, usages={**snapshot.usages, **own})


def requests(contender: Contender, user_id: int, count: int) -> Generator:
    """Return what sends requests, on each connection the next one at the answer to the last."""
    path = f"/api/users/{user_id}/create-product"
    limits = ("--count", count, "--seconds", ACCEPT_SECONDS)
    return Generator("closed_loop", contender.port, path, "--connections", CONNECTIONS, *limits)


def wait_for(done: Callable[[], int], wanted: int, still_seconds: float) -> int:
    """Wait until so many rows are there, or no more come for a time; returns how many are."""
    there, moved = done(), time.monotonic()
    while there < wanted and time.monotonic() - moved < still_seconds:
        time.sleep(POLL_SECONDS)
        if (now := done()) != there:
            there, moved = now, time.monotonic()
    return there


def steady_rate(rows: Sequence[Row]) -> float:
    """Return the rows per second without those of the start."""
    moments = sorted(row.created_at for row in rows)[int(len(rows) * WARM_UP_SHARE) :]
    return (len(moments) - 1) / (moments[-1] - moments[0]).total_seconds()


def verdict(accepted: Collection[str], rows: Sequence[Row]) -> tuple[int, int]:
    """Count the accepted tasks without a row, and the tasks with more than one."""
    made = Counter(row.task_id for row in rows)
    return len(set(accepted) - set(made)), sum(times > 1 for times in made.values())
