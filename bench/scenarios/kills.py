"""What becomes of accepted tasks whose worker is killed again and again: Conveyor and its peers."""

import random
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from http import HTTPStatus

from bench.api import Api
from bench.contest.contender import Contender
from bench.contest.conveyor import conveyor
from bench.contest.database import Database
from bench.contest.peer_system import contending
from bench.contest.programs import running
from bench.contest.turn import ACCEPT_SECONDS, Contest, requests, verdict, wait_for
from bench.effort import Effort
from bench.limit import limit_of
from bench.peers.catalogue import PEERS
from bench.results import Figure, Run, Table
from bench.system import System
from bench.usage import load_between

PROCESSES = 2
# The shortest that is sensible for a visibility time-out, an idle time-out, a heartbeat, a lease.
RECOVERY_SECONDS = 5
# arq gives a killed job back 10 s after that; all the others are quicker.
STILL_SECONDS = 20
NUDGE_SECONDS = 2
# A worker is killed when it has done something, and this much later.
LEAST_SECONDS, MOST_SECONDS = 0.05, 0.6
STARTS_WITHIN_SECONDS = 20
DRAIN_SECONDS = 60
# Filling, draining, and a start with its kill, roughly.
SECONDS_PER_CONTENDER, SECONDS_PER_KILL, SECONDS_ONCE = 10, 2.5, 60
PROMISE = "exactly once: the row and the end of the task commit together, whatever dies"


@dataclass
class Ordeal:
    """One contender's tasks and what was done to their workers."""

    contender: Contender
    user_id: int
    accepted: list[str] = field(default_factory=list)
    kills: int = 0


def measure(system: System, effort: Effort) -> Sequence[Run]:
    seconds = SECONDS_ONCE + 6 * (SECONDS_PER_CONTENDER + effort.kills * SECONDS_PER_KILL) + STILL_SECONDS
    print(f"kills: about {seconds / 60:.1f} minutes", file=sys.stderr)
    with (
        Database(system.stack) as database,
        conveyor(system, RECOVERY_SECONDS) as own,
        contending(PEERS, system.stack.config.daemons, database, RECOVERY_SECONDS) as others,
        ExitStack() as survivors,
    ):
        contest, before = Contest(system, database), system.snapshot()
        ordeals = [_endure(contest, contender, effort, survivors) for contender in (own, *others)]
        _wait_until_still(contest, ordeals)
        rows = [_row(contest, ordeal) for ordeal in ordeals]
        load = load_between(before, system.snapshot(), cores=system.cores, tasks=0)
    head = ["contender", "killed", "accepted", "lost", "doubled", "what its documentation promises"]
    table = Table("Peers: kills", [head, *rows], numbers_right=False)
    return [Run("kills", "kills", _figures(rows[0]), load, limit_of(load), [table])]


def _endure(contest: Contest, contender: Contender, effort: Effort, survivors: ExitStack) -> Ordeal:
    """Have tasks accepted, kill their workers, and leave others running that work off the rest."""
    ordeal = Ordeal(contender, contest.system.ledger.new_user())
    with requests(contender, ordeal.user_id, effort.kill_tasks) as generator:
        ordeal.accepted += generator.run(ACCEPT_SECONDS + 60)["accepted"]
    done = partial(contest.database.count, contender.table, ordeal.user_id)
    for _ in range(effort.kills):
        with running(contender.workers(PROCESSES), contest.log):
            wait_for(done, done() + 1, STARTS_WITHIN_SECONDS)
            time.sleep(random.uniform(LEAST_SECONDS, MOST_SECONDS))
        ordeal.kills += 1
        if done() >= effort.kill_tasks:
            break
    survivors.enter_context(running(contender.workers(PROCESSES), contest.log))
    wait_for(done, done() + 1, STARTS_WITHIN_SECONDS)
    wait_for(done, effort.kill_tasks, NUDGE_SECONDS)
    return ordeal


def _wait_until_still(contest: Contest, ordeals: Sequence[Ordeal]) -> None:
    """Wait until no contender makes rows any more, but for the tasks that keep its worker looking.

    Some look for what a dead worker has left only when they are sent something new.
    """
    moved = time.monotonic()
    deadline = moved + DRAIN_SECONDS + STILL_SECONDS
    before: list[int] = []
    while time.monotonic() - moved < STILL_SECONDS and time.monotonic() < deadline:
        for ordeal in ordeals:
            path = f"/api/users/{ordeal.user_id}/create-product"
            answer = Api(ordeal.contender.port).post(path, {}, HTTPStatus.ACCEPTED)
            ordeal.accepted.append(answer["task_id"])
        time.sleep(NUDGE_SECONDS)
        missing_or_doubled = [sum(_verdict(contest, ordeal)) for ordeal in ordeals]
        if missing_or_doubled != before:
            before, moved = missing_or_doubled, time.monotonic()


def _verdict(contest: Contest, ordeal: Ordeal) -> tuple[int, int]:
    return verdict(ordeal.accepted, contest.database.products(ordeal.contender.table, ordeal.user_id))


def _row(contest: Contest, ordeal: Ordeal) -> list[str]:
    lost, doubled = _verdict(contest, ordeal)
    promises = {peer.name: f"{peer.promise} ({peer.recovery} {RECOVERY_SECONDS} s)" for peer in PEERS}
    counts = (ordeal.kills, len(ordeal.accepted), lost, doubled)
    return [ordeal.contender.name, *map(str, counts), promises.get(ordeal.contender.name, PROMISE)]


def _figures(own: Sequence[str]) -> list[Figure]:
    name, _, accepted, lost, doubled, _ = own
    value = f"{accepted} accepted, {lost} lost, {doubled} doubled"
    return [Figure(f"{name} under kills", value, "none", met=(lost, doubled) == ("0", "0"))]
