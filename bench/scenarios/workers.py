"""Where the cores end: the same tasks for 1, 2, 4 and 8 workers, by turns."""

from collections.abc import Mapping, Sequence
from statistics import median

from bench.contest.contender import WORKER
from bench.contest.conveyor import conveyor
from bench.contest.database import Database
from bench.contest.turn import Contest, Turn
from bench.effort import Effort
from bench.limit import limit_of
from bench.results import Figure, Run
from bench.system import System


def measure(system: System, effort: Effort) -> Sequence[Run]:
    turns: dict[int, list[Turn]] = {count: [] for count in effort.worker_counts}
    with Database(system.stack) as database, conveyor(system) as contender:
        contest = Contest(system, database)
        for number in range(effort.worker_turns):
            for count in list(turns)[:: -1 if number % 2 else 1]:
                turns[count].append(contest.play(contender, effort.contest_tasks, count))
    load = turns[max(turns)][-1].working
    title = f"workers, {effort.contest_tasks} waiting"
    return [Run(title, "workers", figures_of(turns), load, limit_of(load))]


def figures_of(turns: Mapping[int, Sequence[Turn]]) -> list[Figure]:
    figures = []
    for count, played in turns.items():
        rates = [turn.tasks_per_second for turn in played]
        busy = median(turn.working.busy_seconds / turn.working.capacity_seconds for turn in played)
        value = (
            f"{median(rates):.0f} tasks/s (median of {len(rates)}: {min(rates):.0f}-{max(rates):.0f}), "
            f"{median(map(_worker_milliseconds, played)):.2f} ms of their CPU per task, "
            f"{busy:.0%} of the cores busy"
        )
        figures.append(Figure(f"{count} worker{'s' if count > 1 else ''}", value))
    return figures


def _worker_milliseconds(turn: Turn) -> float:
    return turn.working.by_group()[WORKER] / turn.working.tasks * 1000
