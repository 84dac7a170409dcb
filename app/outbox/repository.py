"""SQL of the outbox: what was promised but not published, and what seems to have been lost."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Select, and_, false, func, not_, or_, select, text, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.database.clock import now, now_plus
from app.database.sessions import WriteSession
from app.models import Task, TaskStatus
from app.tasks.broker import Message

WAITING = (TaskStatus.QUEUED, TaskStatus.RETRYING)
MESSAGE: Select[*tuple[Any, ...]] = select(Task.id, Task.name, Task.queue, Task.request_id, Task.traceparent)
# MySQL chooses by statistics, which it renews some time after many rows have come or gone. A name that it
# does not know, before or after a migration, is passed over.
BY_STATUS = f"/*+ INDEX({Task.__tablename__} ix_tasks_status_published_at_available_at_queue) */"
BY_LEASE = f"/*+ INDEX({Task.__tablename__} ix_tasks_status_lease_until) */"


class Backlog(NamedTuple):
    """Tasks that wait to be published, and how long the oldest has waited, in seconds."""

    pending: int
    oldest_seconds: float


class BacklogRepository:
    """Looks at the outbox from any member."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def backlog(self) -> Backlog:
        """Count what waits to be published."""
        age = func.timestampdiff(text("MICROSECOND"), func.min(Task.available_at), now()) / 1_000_000
        pending, oldest = self._session.execute(
            select(func.count(), age)
            .prefix_with(BY_STATUS)
            .where(Task.status.in_(WAITING), Task.published_at.is_(None), Task.available_at <= now())
        ).one()
        return Backlog(pending, float(oldest or 0))


class OutboxRepository:
    """Rows are locked with SKIP LOCKED, so that any number of relays share the work."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    def lock_unpublished(self, min_age_seconds: float, limit: int) -> Sequence[Message]:
        """Lock due tasks that the accepting process had time to publish and did not."""
        due = [Task.published_at.is_(None), Task.available_at <= now_plus(-min_age_seconds)]
        locked = MESSAGE.with_for_update(skip_locked=True)
        return [Message(*row) for row in self._oldest_waiting(locked, Task.available_at, due, limit)]

    def lock_overdue(
        self, queue: str, published_before: datetime | None, min_age_seconds: float, limit: int
    ) -> Sequence[Message]:
        """Lock tasks of a queue whose message cannot be waiting there any more, yet did not start.

        `published_before` is when the oldest waiting message was published: queues are first in,
        first out, so what was published earlier has left the queue. None means an empty queue.
        """
        lost = [
            Task.queue == queue,
            Task.published_at <= now_plus(-min_age_seconds),
            *([Task.published_at < published_before] if published_before else []),
        ]
        # Looked for without locks, which would be as many as there are tasks in all the other queues.
        found = self._oldest_waiting(select(Task.id), Task.published_at, lost, limit)
        if not found:
            return []
        ids = [row.id for row in found]
        return self._lock(MESSAGE.where(Task.id.in_(ids), Task.status.in_(WAITING), *lost))

    def lock_abandoned(
        self, published_before: Mapping[str, datetime | None], republish_after_seconds: float, limit: int
    ) -> Sequence[Message]:
        """Lock running tasks whose worker has let the lease expire.

        The first time at once; after that, the same holds as for tasks that did not start.
        """
        may_be_waiting = [
            and_(Task.queue == queue, Task.published_at >= before)
            for queue, before in published_before.items()
            if before
        ]
        return self._lock(
            MESSAGE.prefix_with(BY_LEASE)
            .where(
                Task.status == TaskStatus.RUNNING,
                Task.lease_until < now(),
                or_(
                    Task.published_at.is_(None),
                    Task.published_at < Task.lease_until,
                    and_(
                        Task.published_at <= now_plus(-republish_after_seconds),
                        not_(or_(false(), *may_be_waiting)),
                    ),
                ),
            )
            .order_by(Task.lease_until)
            .limit(limit)
        )

    def mark_published(self, task_ids: Collection[str]) -> None:
        """Record that the messages are in Redis."""
        self._session.execute(
            update(Task)
            .where(Task.id.in_(task_ids), Task.status.in_((*WAITING, TaskStatus.RUNNING)))
            .values(published_at=now())
            .execution_options(synchronize_session=False)
        )

    def mark_first_publication(self, task_ids: Collection[str]) -> None:
        """Record fresh messages as published, but for tasks that have started already."""
        self._session.execute(
            update(Task)
            .where(Task.id.in_(task_ids), Task.published_at.is_(None), Task.status == TaskStatus.QUEUED)
            .values(published_at=now())
            .execution_options(synchronize_session=False)
        )

    def _oldest_waiting(
        self,
        query: Select[*tuple[Any, ...]],
        age: InstrumentedAttribute[Any],
        conditions: Sequence[ColumnElement[bool]],
        limit: int,
    ) -> list[Any]:
        # One status at a time, so that the index has the rows in order: to sort, MySQL would lock them all.
        found: list[Any] = []
        for status in WAITING:
            if left := limit - len(found):
                due = query.prefix_with(BY_STATUS).where(Task.status == status, *conditions)
                found += self._session.execute(due.order_by(age).limit(left))
        return found

    def _lock(self, query: Select[*tuple[Any, ...]]) -> Sequence[Message]:
        return [Message(*row) for row in self._session.execute(query.with_for_update(skip_locked=True))]
