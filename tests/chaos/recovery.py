"""What each fault cost: how long until tasks were done again, and what clients and workers felt of it."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.chaos.faults import Done
from tests.chaos.journal import ACCEPTED, Order, Try, longest_pause
from tests.chaos.verdict import Effects

UNAVAILABLE = 503


@dataclass(frozen=True)
class Incident:
    """A step that happened, from its first harm until the system had recovered."""

    faults: tuple[Done, ...]
    began: float
    settled: float


@dataclass(frozen=True)
class Ended:
    """A task from its client's first request to its end by the database's clock."""

    sent: float
    accepted: float
    finished: float
    extra_runs: int
    last_started: float


@dataclass(frozen=True)
class Cost:
    """What one fault cost; seconds are None if it never came to that."""

    serving_again: float | None
    caught_up: float
    run_again: int
    published_again: int
    refused: int
    unanswered: int
    longest_pause: float


def ended_tasks(orders: Sequence[Order], effects: Effects) -> list[Ended]:
    """Join what clients know with what the database says."""
    runs: dict[str, list[float]] = {}
    for row in effects.logs:
        runs.setdefault(row.task_id, []).append(row.at)
    ended = []
    for order in orders:
        if order.task_id not in runs:
            continue
        times = runs[order.task_id]
        finished, extra, started = min(times), len(times) - 1, max(times)
        if effects.ledger is not None and (task := effects.ledger.get(order.task_id)):
            finished, extra, started = task.finished_at, task.attempts - 1, task.started_at
        ended.append(Ended(order.tries[0].sent, order.accepted_at, finished, extra, started))
    return ended


class Costs:
    """Looks up costs; sorts once what is looked at for each fault."""

    def __init__(
        self, tasks: Sequence[Ended], tries: Sequence[Try], published_again: Callable[[float, float], int]
    ) -> None:
        self._tasks = sorted(tasks, key=lambda task: task.sent)
        self._sent = [task.sent for task in self._tasks]
        self._tries = tries
        self._tried = [one.ended for one in tries]
        self._published_again = published_again

    def of(self, incident: Incident, done: Done) -> Cost:
        begin, end = incident.began, incident.settled
        tries = self._tries[bisect_left(self._tried, begin) : bisect_right(self._tried, end)]
        return Cost(
            serving_again=self._serving_again(done.ended),
            caught_up=max(
                (max(task.finished - done.ended, 0) for task in self._tasks if task.accepted <= done.ended),
                default=0.0,
            ),
            run_again=sum(task.extra_runs for task in self._tasks if begin <= task.last_started <= end),
            published_again=self._published_again(begin, end),
            refused=sum(one.status == UNAVAILABLE for one in tries),
            unanswered=sum(one.status not in {UNAVAILABLE, ACCEPTED} for one in tries),
            longest_pause=longest_pause(tries, begin, end),
        )

    def _serving_again(self, moment: float) -> float | None:
        later = self._tasks[bisect_left(self._sent, moment) :]
        return min((task.finished - moment for task in later), default=None)
