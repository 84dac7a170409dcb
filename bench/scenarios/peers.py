"""Conveyor beside its peers: the same requests and the same tasks, by turns."""

import sys
from collections.abc import Mapping, Sequence

from bench.contest.conveyor import NAME, conveyor
from bench.contest.database import Database
from bench.contest.environments import versions_of
from bench.contest.noop import tasks_per_cpu_second
from bench.contest.peer_system import contending
from bench.contest.standing import charts_of, figures_of, noop_figures, tables_of
from bench.contest.turn import Contest, Turn
from bench.effort import Effort
from bench.limit import limit_of
from bench.peers.catalogue import PEERS, Peer
from bench.results import Run, Table
from bench.system import System

# One turn of one contender, and what is done once, roughly.
SECONDS_PER_TURN, SECONDS_ONCE = 10, 100


def measure(system: System, effort: Effort) -> Sequence[Run]:
    turns = play_all(system, effort, PEERS)
    noops = tasks_per_cpu_second(system.stack.config.daemons, effort.noop_tasks, effort.contest_turns)
    figures = [*figures_of(turns), *noop_figures(noops)]
    load = turns[NAME][-1].working
    versions = Table(
        "Peers: versions",
        [["peer", "pinned"], *([p.name, versions_of(p.name)] for p in PEERS)],
        numbers_right=False,
    )
    title = f"peers, {effort.contest_tasks} tasks, {effort.contest_turns} turns"
    tables = [*tables_of(turns, {peer.name: peer.parallel for peer in PEERS}), versions]
    return [Run(title, "peers", figures, load, limit_of(load), tables, charts_of(turns))]


def play_all(system: System, effort: Effort, peers: Sequence[Peer]) -> Mapping[str, Sequence[Turn]]:
    """Return each contender's turns; in every other round they play in the reverse order."""
    rounds = [
        (number, processes)
        for number in range(effort.contest_turns)
        for processes in effort.contest_processes
    ]
    seconds = SECONDS_ONCE + len(rounds) * (len(peers) + 1) * SECONDS_PER_TURN
    print(f"peers: about {seconds / 60:.0f} minutes", file=sys.stderr)
    with (
        Database(system.stack) as database,
        conveyor(system) as own,
        contending(peers, system.stack.config.daemons, database) as others,
    ):
        contest, contenders = Contest(system, database), [own, *others]
        turns: dict[str, list[Turn]] = {contender.name: [] for contender in contenders}
        for number, processes in rounds:
            for contender in contenders[:: -1 if number % 2 else 1]:
                turns[contender.name].append(contest.play(contender, effort.contest_tasks, processes))
    return turns
