"""SQL of retention: rows beyond their age, found in the order of an index, in small batches.

They are looked for without locks, and the few that are found are locked unless somebody has them: so neither
accepting nor working waits, and any number of relays share the removal.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from sqlalchemy import ColumnElement, delete, func, select
from sqlalchemy.orm import InstrumentedAttribute

from app.database.clock import now
from app.database.sessions import WriteSession
from app.models import FINAL_STATUSES, RequestLog, Task, TaskStatus
from app.retention.task_ids import accepted_at, first_id_of
from app.tasks.repository import BY_ID

BY_TIME = f"/*+ INDEX({RequestLog.__tablename__} ix_requests_timestamp) */"


class Batch(NamedTuple):
    """Rows that were looked at, how many of them were removed, and where the next batch begins."""

    found: int
    removed: int = 0
    last: Any = None


class Expiring(Protocol):
    """Rows of one table that are removed when they are old."""

    table: str

    def remove(self, session: WriteSession, before: datetime, after: Any, limit: int) -> Batch:  # noqa: ANN401 - what `Batch.last` is
        """Remove some rows that are older than `before`; `after` is where the last batch ended."""


class EndedTasks:
    """Tasks that ended in one way. Their ids are ordered by when they were accepted.

    One that ended lately may have been accepted long ago: it is passed over.
    """

    table = Task.__tablename__

    def __init__(self, status: TaskStatus) -> None:
        self._status = status

    def remove(self, session: WriteSession, before: datetime, after: str | None, limit: int) -> Batch:
        """Remove some tasks that ended before `before`."""
        accepted_before = [Task.status == self._status, Task.id < first_id_of(before)]
        since = [Task.id > after] if after else []
        query = select(Task.id).prefix_with(BY_ID).where(*accepted_before, *since)
        found = session.scalars(query.order_by(Task.id).limit(limit)).all()
        if not found:
            return Batch(0)
        has_expired = [Task.status == self._status, Task.finished_at < before]
        return Batch(len(found), _remove(session, Task.id, found, has_expired), found[-1])


class LoggedRequests:
    """Rows of the log of requests, also those of tasks."""

    table = RequestLog.__tablename__

    def remove(self, session: WriteSession, before: datetime, after: datetime | None, limit: int) -> Batch:
        """Remove some rows that were written before `before`."""
        is_old = [RequestLog.timestamp < before, *([RequestLog.timestamp >= after] if after else [])]
        query = select(RequestLog.id, RequestLog.timestamp).prefix_with(BY_TIME).where(*is_old)
        found = session.execute(query.order_by(RequestLog.timestamp).limit(limit)).all()
        if not found:
            return Batch(0)
        removed = _remove(session, RequestLog.id, [row.id for row in found], [RequestLog.timestamp < before])
        return Batch(len(found), removed, found[-1].timestamp)


ENDED_TASKS = tuple(EndedTasks(status) for status in TaskStatus if status in FINAL_STATUSES)
LOGGED_REQUESTS = (LoggedRequests(),)


class AgeRepository:
    """Tells how old the oldest rows are; each answer is at the end of an index."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    def now(self) -> datetime:
        """Return the database's time."""
        return self._session.scalars(select(now())).one()

    def oldest(self) -> dict[str, datetime | None]:
        """Return when the oldest rows of tables were made, whatever their state."""
        task_id = self._session.scalar(select(func.min(Task.id)))
        logged_at = self._session.scalar(select(func.min(RequestLog.timestamp)))
        return {
            Task.__tablename__: accepted_at(task_id) if task_id else None,
            RequestLog.__tablename__: logged_at,
        }


def _remove(
    session: WriteSession,
    key: InstrumentedAttribute[Any],
    found: Sequence[Any],
    conditions: Sequence[ColumnElement[bool]],
) -> int:
    free = select(key).where(key.in_(found), *conditions).with_for_update(skip_locked=True)
    locked = session.scalars(free).all()
    if locked:
        session.execute(
            delete(key.class_).where(key.in_(locked)).execution_options(synchronize_session=False)
        )
    return len(locked)
