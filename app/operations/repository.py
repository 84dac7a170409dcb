"""SQL for a person on call: what ended lately and what failed, read from any member within bounds."""

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Integer, Select, SQLColumnExpression, func, select
from sqlalchemy.orm import Session

from app.models import RequestLog, Task, TaskStatus
from app.operations.throughput import MINUTE_SECONDS
from app.requests.repository import WORKER_SERVER_ID
from app.tasks.repository import BY_ID

LONGEST_STATEMENT_MS = 1500
MOST_COUNTED_FAILED = 1000
# So many of the newest failed and cancelled tasks are looked at for when they ended: an index by that would
# cost something at each change of each task.
LOOKED_THROUGH = 5000
BOUNDED = f"/*+ MAX_EXECUTION_TIME({LONGEST_STATEMENT_MS}) */"
BY_TIME = (
    f"/*+ MAX_EXECUTION_TIME({LONGEST_STATEMENT_MS})"
    f" INDEX({RequestLog.__tablename__} ix_requests_server_id_timestamp) */"
)

MinuteCounts = dict[int, int]


class OperationsRepository:
    """Counts tasks by the minute in which they ended, in minutes since the epoch."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def succeeded(self, since: datetime) -> MinuteCounts:
        """Count successes by the log of requests, whose index holds all that is asked."""
        minute = _minute(RequestLog.timestamp).label("minute")
        return self._counts(
            select(minute, func.count())
            .prefix_with(BY_TIME)
            .where(RequestLog.server_id == WORKER_SERVER_ID, RequestLog.timestamp >= since)
            .group_by(minute)
        )

    def ended_as(self, status: TaskStatus, since: datetime) -> MinuteCounts:
        """Count the tasks that ended otherwise, among the newest of them."""
        newest = (
            select(Task.finished_at)
            .prefix_with(BY_ID)
            .where(Task.status == status)
            .order_by(Task.id.desc())
            .limit(LOOKED_THROUGH)
            .subquery()
        )
        minute = _minute(newest.c.finished_at).label("minute")
        return self._counts(
            select(minute, func.count())
            .prefix_with(BOUNDED)
            .where(newest.c.finished_at >= since)
            .group_by(minute)
        )

    def count_failed(self) -> int:
        """Count the tasks that failed for good, up to a bound."""
        failed = select(Task.id).prefix_with(BY_ID).where(Task.status == TaskStatus.FAILED)
        some = failed.limit(MOST_COUNTED_FAILED).subquery()
        return self._session.scalar(select(func.count()).prefix_with(BOUNDED).select_from(some)) or 0

    def _counts(self, query: Select[int, int]) -> MinuteCounts:
        rows = self._session.execute(query)
        return {minute: count for minute, count in rows}  # noqa: C416 - to mypy, a row is no pair


def _minute(moment: SQLColumnExpression[Any]) -> ColumnElement[int]:
    return func.unix_timestamp(moment).op("DIV", return_type=Integer())(MINUTE_SECONDS)
