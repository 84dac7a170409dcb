"""Tasks that do nothing, per second of a worker's CPU: Conveyor's worker beside stock Celery's.

Without a ledger: what is compared is how a message gets to its task and is acknowledged.
"""

import sys
from collections.abc import Callable, Sequence
from typing import NamedTuple

from bench.contest.environments import programs_of
from bench.contest.peer_system import APPLICATIONS
from bench.contest.programs import NOWHERE, Program, run, running
from bench.failure import BenchError
from bench.processes import session_usage
from bench.queue_server import QUEUE, SAFE, QueueServer
from stack.packages import Daemons
from stack.supervisor import ROOT

STOCK_QUEUE = "celery"
PREFETCH = 1
BATCH_SIZE = 100
WARM_UP_SHARE = 0.2
# The application has a database, which these tasks do not use.
NO_DATABASE = dict.fromkeys(("HOST", "USER", "PASSWORD", "DATABASE", "TABLE", "TLS_CA"), "none")


class Side(NamedTuple):
    """How one of them is filled and started."""

    fill: Callable[[int], Program]
    work: Program
    queue: str


class NoopFigures(NamedTuple):
    """Tasks per CPU second of each side, by turns."""

    batched: list[float]
    alone: list[float]
    stock: list[float]


def tasks_per_cpu_second(daemons: Daemons, count: int, turns: int) -> NoopFigures:
    """Have each side work off the same tasks in each turn, in every other one in the reverse order."""
    figures = NoopFigures([], [], [])
    with QueueServer(daemons) as server:
        sides = (_conveyor(server.port, BATCH_SIZE), _conveyor(server.port), _stock(server.port))
        for number in range(turns):
            for side, played in list(zip(sides, figures, strict=True))[:: -1 if number % 2 else 1]:
                played.append(_turn(server, side, count))
    return figures


def own_program(*arguments: object) -> Program:
    # Celery warns of root, as which it may well run here
    argv: Sequence[str] = (sys.executable, "-W", "ignore", "-m", "bench.generators.noop_worker")
    return Program([*argv, *map(str, arguments)], {}, ROOT)


def refill(server: QueueServer, filler: Program, queue: str, count: int) -> None:
    """Have nothing on the server but the tasks that the program sends."""
    server.client.flushall()
    run(filler)
    if (sent := server.remaining(queue)) != count:
        raise BenchError(f"{sent} of {count} tasks that do nothing were sent to {queue}")


def _turn(server: QueueServer, side: Side, count: int) -> float:
    refill(server, side.fill(count), side.queue, count)
    with running([side.work], NOWHERE) as workers:
        first = server.wait_until_left(side.queue, count * (1 - WARM_UP_SHARE))
        before = session_usage("", workers[0]).cpu_seconds
        last = server.wait_until_left(side.queue, 0)
        used = session_usage("", workers[0]).cpu_seconds - before
    return (first - last) / used


def _conveyor(port: int, *batch_size: int) -> Side:
    work = own_program("work", port, SAFE, PREFETCH, *batch_size)
    return Side(lambda count: own_program("fill", port, count), work, QUEUE)


def _stock(port: int) -> Side:
    binaries = programs_of("celery")
    env = {f"MYSQL_{name}": value for name, value in NO_DATABASE.items()} | {
        "MYSQL_PORT": "0",
        "QUEUE_URL": f"redis://127.0.0.1:{port}/0",
        "PYTHONPATH": str(APPLICATIONS / "products"),
    }

    def program(*argv: str) -> Program:
        return Program([str(binaries / argv[0]), *argv[1:]], env, APPLICATIONS / "celery")

    def fill(count: int) -> Program:
        return program("python", "-c", f"import tasks; tasks.fill({count})")

    work = program("celery", "-A", "tasks", "worker", "--concurrency=2", "--loglevel=ERROR")
    return Side(fill, work, STOCK_QUEUE)
