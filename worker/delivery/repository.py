"""SQL of attempts that lost their process."""

from sqlalchemy import select

from app.attempts.repository import Attempt
from app.database.sessions import WriteSession
from app.models import Task, TaskStatus


class HeldAttemptRepository:
    """Finds what a worker holds; the changes are `AttemptRepository`'s, fenced as ever."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    def find(self, task_id: str, owner: str) -> Attempt | None:
        """Return the attempt at the task that runs under this owner's lease."""
        task = self._session.scalar(
            select(Task).where(
                Task.id == task_id, Task.lease_owner == owner, Task.status == TaskStatus.RUNNING
            )
        )
        if task is None:
            return None
        return Attempt(
            task_id=task.id,
            number=task.attempts,
            max_attempts=task.max_attempts,
            owner=owner,
            payload=task.payload,
            retry_delay_seconds=task.retry_delay_seconds,
            request_id=task.request_id,
            queue_wait_seconds=0.0,
        )
