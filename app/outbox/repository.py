"""SQL of the outbox: what was promised but not published, and what seems to have been lost."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import ColumnElement, func, or_, select, text, update

from app.database.clock import now, now_plus
from app.database.sessions import WriteSession
from app.models import Task, TaskStatus
from app.tasks.broker import Message

WAITING = (TaskStatus.QUEUED, TaskStatus.RETRYING)


class Backlog(NamedTuple):
    """Tasks that wait to be published, and how long the oldest has waited, in seconds."""

    pending: int
    oldest_seconds: float


class OutboxRepository:
    """Rows are locked with SKIP LOCKED, so that any number of relays share the work."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    def lock_unpublished(self, min_age_seconds: float, limit: int) -> Sequence[Message]:
        """Lock due tasks that the accepting process had time to publish and did not."""
        return self._lock(
            Task.status.in_(WAITING),
            Task.published_at.is_(None),
            Task.available_at <= now_plus(-min_age_seconds),
            limit=limit,
        )

    def lock_overdue(
        self, queue: str, published_before: datetime | None, min_age_seconds: float, limit: int
    ) -> Sequence[Message]:
        """Lock tasks of a queue whose message cannot be waiting there any more, yet did not start.

        `published_before` is when the oldest waiting message was published: queues are first in,
        first out, so what was published earlier has left the queue. None means an empty queue.
        """
        return self._lock(
            Task.status.in_(WAITING),
            Task.queue == queue,
            Task.published_at <= now_plus(-min_age_seconds),
            *([Task.published_at < published_before] if published_before else []),
            limit=limit,
        )

    def lock_abandoned(self, republish_after_seconds: float, limit: int) -> Sequence[Message]:
        """Lock running tasks whose worker has let the lease expire."""
        return self._lock(
            Task.status == TaskStatus.RUNNING,
            Task.lease_until < now(),
            or_(
                Task.published_at.is_(None),
                Task.published_at < Task.lease_until,
                Task.published_at <= now_plus(-republish_after_seconds),
            ),
            limit=limit,
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

    def backlog(self) -> Backlog:
        """Count what waits to be published."""
        age = func.timestampdiff(text("MICROSECOND"), func.min(Task.available_at), now()) / 1_000_000
        pending, oldest = self._session.execute(
            select(func.count(), age).where(
                Task.status.in_(WAITING), Task.published_at.is_(None), Task.available_at <= now()
            )
        ).one()
        return Backlog(pending, float(oldest or 0))

    def _lock(self, *conditions: ColumnElement[bool], limit: int) -> Sequence[Message]:
        rows = self._session.execute(
            select(Task.id, Task.name, Task.queue, Task.request_id)
            .where(*conditions)
            .limit(limit)
            .with_for_update(skip_locked=True)
        )
        return [Message(*row) for row in rows]
