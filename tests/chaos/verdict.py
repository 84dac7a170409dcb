"""The verdict: what was promised against what the database says, whichever system made it."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from tests.chaos.journal import Order

SUCCEEDED = "succeeded"
FINAL = frozenset({SUCCEEDED, "failed", "cancelled"})
SHOWN = 5


@dataclass(frozen=True)
class LogRow:
    """The row that a task's run leaves in the log of requests."""

    task_id: str
    request_id: str | None
    at: float


@dataclass(frozen=True)
class LedgerRow:
    """What the ledger says of a task."""

    task_id: str
    status: str
    attempts: int
    started_at: float
    finished_at: float


@dataclass(frozen=True)
class Effects:
    """All that a run left behind."""

    products: Sequence[str]  # the task of each product
    logs: Sequence[LogRow]
    ledger: Mapping[str, LedgerRow] | None  # stock Celery has none
    positions: Mapping[str, str]  # of each MySQL member: the transactions it has
    leftovers: Mapping[str, int] = field(default_factory=dict)  # in Redis, by key


@dataclass(frozen=True)
class Violation:
    """One way in which a promise was broken, and by which tasks."""

    what: str
    tasks: tuple[str, ...]

    def __str__(self) -> str:
        shown = ", ".join(self.tasks[:SHOWN])
        return f"{len(self.tasks)} {self.what}: {shown}{', …' if len(self.tasks) > SHOWN else ''}"


@dataclass(frozen=True)
class Verdict:
    """The numbers that have to be zero, and which tasks make them what they are."""

    accepted: int
    lost: tuple[Violation, ...]
    doubled: tuple[Violation, ...]
    unaccepted: tuple[Violation, ...]
    unsettled: tuple[Violation, ...]

    @property
    def violations(self) -> tuple[Violation, ...]:
        return self.lost + self.doubled + self.unaccepted + self.unsettled

    @property
    def holds(self) -> bool:
        return not self.violations


def judge(orders: Sequence[Order], effects: Effects) -> Verdict:
    """Compare promises with effects."""
    accepted = {order.task_id for order in orders if order.task_id}
    return Verdict(
        len(accepted),
        lost=_lost(accepted, effects),
        doubled=_doubled(orders, effects),
        unaccepted=_unaccepted(orders, accepted, effects),
        unsettled=_unsettled(effects),
    )


def count(violations: Iterable[Violation]) -> int:
    """Return how many tasks are concerned, each once."""
    return len({task for violation in violations for task in violation.tasks})


def _lost(accepted: set[str], effects: Effects) -> tuple[Violation, ...]:
    logged = {row.task_id for row in effects.logs}
    found = {
        "accepted, but without a product": accepted - set(effects.products),
        "accepted, but without a row in the log": accepted - logged,
    }
    if effects.ledger is not None:
        statuses = {task_id: row.status for task_id, row in effects.ledger.items()}
        found["accepted, but not in the ledger"] = accepted - set(statuses)
        ended_badly = {task for task in accepted & set(statuses) if statuses[task] != SUCCEEDED}
        for status in sorted({statuses[task] for task in ended_badly}):
            found[f"accepted, but {status}"] = {task for task in ended_badly if statuses[task] == status}
    return _violations(found)


def _doubled(orders: Sequence[Order], effects: Effects) -> tuple[Violation, ...]:
    keyed = {one.request_id: order for order in orders for one in order.tries if order.key}
    tasks_by_key: dict[str, set[str]] = defaultdict(set)
    for row in effects.logs:
        order = keyed.get(row.request_id or "")
        if order and order.key:
            tasks_by_key[order.key].add(row.task_id)
    for order in orders:
        if order.key and order.task_id:
            tasks_by_key[order.key] |= {order.task_id, *order.other_task_ids}
    # without a key each request is an order of its own
    by_request = Counter(row.request_id for row in effects.logs if row.request_id not in keyed)
    return _violations(
        {
            "with more than one product": _repeated(effects.products),
            "with more than one row in the log": _repeated(row.task_id for row in effects.logs),
            "of one Idempotency-Key": {
                task for tasks in tasks_by_key.values() if len(tasks) > 1 for task in tasks
            },
            "of one request": {
                row.task_id
                for row in effects.logs
                if row.request_id not in keyed and row.request_id and by_request[row.request_id] > 1
            },
        }
    )


def _unaccepted(orders: Sequence[Order], accepted: set[str], effects: Effects) -> tuple[Violation, ...]:
    """Find effects nobody asked for; a request without a right answer may have been accepted."""
    uncertain = {request_id for order in orders for request_id in order.uncertain}
    possible = accepted | {row.task_id for row in effects.logs if row.request_id in uncertain}
    made = set(effects.products) | {row.task_id for row in effects.logs}
    return _violations({"done, but never accepted": made - possible})


def _unsettled(effects: Effects) -> tuple[Violation, ...]:
    positions = set(effects.positions.values())
    open_tasks = {task for task, row in (effects.ledger or {}).items() if row.status not in FINAL}
    return _violations(
        {
            "still open in the ledger": open_tasks,
            "MySQL members with different transactions": set(effects.positions)
            if len(positions) > 1
            else set(),
            "keys of Redis still hold messages": {key for key, size in effects.leftovers.items() if size},
        }
    )


def _repeated(task_ids: Iterable[str]) -> set[str]:
    return {task_id for task_id, times in Counter(task_ids).items() if times > 1}


def _violations(found: Mapping[str, set[str]]) -> tuple[Violation, ...]:
    return tuple(Violation(what, tuple(sorted(tasks))) for what, tasks in found.items() if tasks)
