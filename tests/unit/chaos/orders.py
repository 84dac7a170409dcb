"""Orders and effects of a run that never was."""

from tests.chaos.journal import Order, Try
from tests.chaos.verdict import Effects, LedgerRow, LogRow

ACCEPTED, UNAVAILABLE, NO_ANSWER = 202, 503, 0
MEMBERS = {"mysql-0": "a:1-9", "mysql-1": "a:1-9", "mysql-2": "a:1-9"}


def order(name: str, *statuses: int, key: bool = True, task: str | None = None) -> Order:
    """Return an order whose requests were answered like this, one a second."""
    tries = [
        Try(f"{name}-{number}", sent=number, ended=number + 0.5, status=status)
        for number, status in enumerate(statuses or (ACCEPTED,))
    ]
    answered = any(one.status == ACCEPTED for one in tries)
    return Order(name if key else None, tries, task or (f"task-{name}" if answered else None))


def row(task_id: str, status: str = "succeeded", attempts: int = 1) -> LedgerRow:
    return LedgerRow(task_id, status, attempts, started_at=1.0, finished_at=2.0)


def log(task_id: str, request_id: str = "") -> LogRow:
    return LogRow(task_id, request_id or f"{task_id.removeprefix('task-')}-0", at=2.0)


def effects(*task_ids: str, stock: bool = False) -> Effects:
    """Return what is left of tasks that were each done once."""
    return Effects(
        products=list(task_ids),
        logs=[log(task_id) for task_id in task_ids],
        ledger=None if stock else {task_id: row(task_id) for task_id in task_ids},
        positions=MEMBERS,
    )
