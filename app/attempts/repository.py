"""SQL of attempts. Every change is fenced: only the attempt that holds the lease can make it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import CursorResult, Update, func, or_, select, update
from sqlalchemy.orm import Session

from app.attempts.lifecycle import GiveUp, Run, Skip, SkipReason, TaskState, decide_delivery
from app.database.clock import now, now_plus
from app.models import Task, TaskStatus

ERROR_LENGTH = 8_000


@dataclass(frozen=True)
class Attempt:
    """A claimed task: proof of the right to change its row."""

    task_id: str
    name: str
    queue: str
    number: int
    max_attempts: int
    owner: str
    payload: dict[str, Any]
    retry_delay_seconds: float
    request_id: str | None
    queue_wait_seconds: float = 0
    age_seconds: float = 0  # since the task was accepted


class AttemptRepository:
    """Claims, renews and ends attempts."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def claim(
        self, task_id: str, owner: str, worker: str, lease_seconds: float, unanswered: int | None = None
    ) -> Attempt | Skip | GiveUp:
        """Take the task under a lease, or say why this delivery must not run it.

        `unanswered` is the number of an attempt whose claim was committed without an answer: if the
        ledger has it, it is taken up instead of being left to its lease.
        """
        row = self._session.execute(
            select(
                Task,
                or_(Task.lease_until.is_(None), Task.lease_until < now()).label("lease_expired"),
                (Task.available_at <= now()).label("is_due"),
                now().label("now"),
            )
            .where(Task.id == task_id)
            .with_for_update()
        ).one_or_none()
        if row is None:
            return Skip(SkipReason.UNKNOWN)
        task: Task = row.Task
        if unanswered and (task.status, task.lease_owner, task.attempts) == (
            TaskStatus.RUNNING,
            owner,
            unanswered,
        ):
            return _attempt(task, unanswered, owner, since_accepted=row.now - task.created_at)
        decision = decide_delivery(
            TaskState(
                task.status, task.attempts, task.max_attempts, bool(row.is_due), bool(row.lease_expired)
            )
        )
        if isinstance(decision, GiveUp):
            self._end(task_id, TaskStatus.FAILED, decision.error)
        if not isinstance(decision, Run):
            return decision
        self._start(task_id, decision.attempt, owner, worker, lease_seconds)
        return _attempt(
            task,
            decision.attempt,
            owner,
            since_due=row.now - task.available_at,
            since_accepted=row.now - task.created_at,
        )

    def find_held(self, task_id: str, owner: str, seconds_ago: float) -> Attempt | None:
        """Return the attempt that an owner's process held when it was lost, if the row says so still.

        The same owner may have begun the next one since.
        """
        task = self._session.scalar(
            select(Task).where(
                Task.id == task_id,
                Task.lease_owner == owner,
                Task.status == TaskStatus.RUNNING,
                Task.started_at <= now_plus(-seconds_ago),
            )
        )
        return _attempt(task, task.attempts, owner) if task else None

    def succeed(self, attempt: Attempt, result: dict[str, Any] | None) -> bool:
        """Record success; False if the attempt has lost its right to, and must be rolled back."""
        return self._apply(
            _held(attempt).values(status=TaskStatus.SUCCEEDED, result=result, error=None, finished_at=now())
        )

    def retry_later(self, attempt: Attempt, error: str) -> bool:
        """Record a failed attempt whose next one is due after the task's delay."""
        return self._apply(
            _held(attempt).values(
                status=TaskStatus.RETRYING,
                error=error[:ERROR_LENGTH],
                available_at=now_plus(attempt.retry_delay_seconds),
                published_at=None,
            )
        )

    def fail(self, attempt: Attempt, error: str) -> bool:
        """Record the last failure."""
        return self._apply(
            _held(attempt).values(status=TaskStatus.FAILED, error=error[:ERROR_LENGTH], finished_at=now())
        )

    def renew(self, owner: str, task_ids: Collection[str], lease_seconds: float) -> int:
        """Extend the leases of running tasks; returns how many are still held."""
        return self._count(
            update(Task)
            .where(Task.id.in_(task_ids), Task.lease_owner == owner, Task.status == TaskStatus.RUNNING)
            .values(lease_until=now_plus(lease_seconds))
        )

    def count_waiting(self, task_ids: Collection[str]) -> int:
        """Count those that nobody has started or ended yet, as others see it: a batch may be at them."""
        waiting = Task.id.in_(task_ids), Task.status == TaskStatus.QUEUED
        return self._session.scalar(select(func.count()).where(*waiting)) or 0

    def release(self, owner: str) -> list[str]:
        """Give back what a stopping worker did not finish, uncounted, and return the tasks' ids."""
        held = Task.lease_owner == owner, Task.status == TaskStatus.RUNNING
        task_ids = list(self._session.scalars(select(Task.id).where(*held).with_for_update()))
        self._count(
            update(Task)
            .where(*held)
            .values(
                status=TaskStatus.QUEUED,
                attempts=Task.attempts - 1,
                lease_owner=None,
                lease_until=None,
                available_at=now(),
                published_at=None,
            )
        )
        return task_ids

    def is_cancelled(self, attempt: Attempt) -> bool:
        """Tell whether the task was cancelled since it was claimed."""
        status = self._session.scalar(select(Task.status).where(Task.id == attempt.task_id))
        return status is TaskStatus.CANCELLED

    def _start(self, task_id: str, number: int, owner: str, worker: str, lease_seconds: float) -> None:
        self._session.execute(
            update(Task)
            .where(Task.id == task_id)
            .values(
                status=TaskStatus.RUNNING,
                attempts=number,
                started_at=now(),
                lease_owner=owner,
                lease_until=now_plus(lease_seconds),
                worker=worker,
            )
            .execution_options(synchronize_session=False)
        )

    def _end(self, task_id: str, status: TaskStatus, error: str) -> None:
        self._session.execute(
            update(Task)
            .where(Task.id == task_id)
            .values(status=status, error=error, finished_at=now(), lease_owner=None, lease_until=None)
            .execution_options(synchronize_session=False)
        )

    def _apply(self, statement: Update) -> bool:
        return self._count(statement.values(lease_owner=None, lease_until=None)) == 1

    def _count(self, statement: Update) -> int:
        result = self._session.execute(statement.execution_options(synchronize_session=False))
        return result.rowcount if isinstance(result, CursorResult) else 0


def _attempt(
    task: Task,
    number: int,
    owner: str,
    *,
    since_due: timedelta = timedelta(),
    since_accepted: timedelta = timedelta(),
) -> Attempt:
    return Attempt(
        task_id=task.id,
        name=task.name,
        queue=task.queue,
        number=number,
        max_attempts=task.max_attempts,
        owner=owner,
        payload=task.payload,
        retry_delay_seconds=task.retry_delay_seconds,
        request_id=task.request_id,
        queue_wait_seconds=max(0.0, since_due.total_seconds()),
        age_seconds=max(0.0, since_accepted.total_seconds()),
    )


def _held(attempt: Attempt) -> Update:
    return update(Task).where(
        Task.id == attempt.task_id,
        Task.status == TaskStatus.RUNNING,
        Task.lease_owner == attempt.owner,
        Task.attempts == attempt.number,
    )
