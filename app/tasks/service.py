"""What it takes to accept, show, cancel and replay a task."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import structlog
from sqlalchemy.exc import IntegrityError

from app.database.errors import is_duplicate_key
from app.database.sessions import ReadSession, WriteSession
from app.models import Task, TaskStatus
from app.problems import ProblemError
from app.settings import Settings
from app.tasks.broker import Message
from app.tasks.promises import Promise, Promises
from app.tasks.registry import TaskRegistry
from app.tasks.repository import TaskChanges, TaskRepository
from app.tracing.tracing import Tracing
from app.users.service import require_users

log = structlog.get_logger(__name__)


class TaskService:
    """The life of a task from the client's side; sessions are committed by their owner."""

    def __init__(
        self,
        registry: TaskRegistry,
        settings: Settings,
        publish: Callable[[Message], None],
        count_accepted: Callable[[str], None],
        tracing: Tracing | None = None,
    ) -> None:
        self.promises = Promises(registry, settings, tracing or Tracing())
        self._publish = publish
        self._count_accepted = count_accepted

    def accept(
        self,
        session: WriteSession,
        name: str,
        payload: dict[str, Any],
        *,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> Task:
        """Write a task into the ledger; it is published once the session has committed.

        Raises:
            ProblemError: the task is unknown, the payload does not fit, or the key belongs to another task.
        """
        promise = self.promises.one(name, payload, key=idempotency_key, request_id=request_id)
        return self.write(session, promise)[0]

    def write(self, session: WriteSession, promise: Promise) -> Sequence[Task]:
        """Write a promise's tasks into the ledger, or return those that were promised before.

        Raises:
            ProblemError: there is no such user, or the key belongs to another task.
        """
        require_users(session, promise.user_ids)
        claim = promise.claim
        if claim and (accepted := claim.accepted_before(session)):
            return accepted
        try:
            TaskChanges(session).add(promise.tasks)
        except IntegrityError as error:
            if not (claim and is_duplicate_key(error)):
                raise
            session.rollback()
            return claim.accepted_by_the_winner(session)
        session.after_commit(partial(self.announce, promise.tasks))
        return promise.tasks

    def announce(self, tasks: Iterable[Task]) -> None:
        """Have tasks published whose acceptance is committed."""
        for task in tasks:
            self._publish_now(task, "task accepted")
            self._count_accepted(task.name)

    def get(self, reads: ReadSession, writes: WriteSession, task_id: str) -> Task:
        """Return a task; a replica that does not know it (yet) is not believed."""
        task = TaskRepository(reads).get(task_id) or TaskRepository(writes).get(task_id)
        if task is None:
            raise _unknown(task_id)
        return task

    def cancel(self, session: WriteSession, task_id: str) -> Task:
        """Cancel for good; repeating it is allowed, cancelling a finished task is not."""
        changed = TaskChanges(session).cancel(task_id)
        task = TaskRepository(session).get(task_id)
        if task is None:
            raise _unknown(task_id)
        if not changed and task.status is not TaskStatus.CANCELLED:
            raise ProblemError(HTTPStatus.CONFLICT, f"Task {task_id} has already {task.status.value}.")
        if changed:
            session.after_commit(lambda: log.info("task cancelled", **_ids(task)))
        return task

    def replay(self, session: WriteSession, task_id: str) -> Task:
        """Queue a failed task again, under its old id."""
        changed = TaskChanges(session).requeue_failed(task_id)
        task = TaskRepository(session).get(task_id)
        if task is None:
            raise _unknown(task_id)
        if not changed:
            raise ProblemError(
                HTTPStatus.CONFLICT,
                f"Only failed tasks can be replayed; task {task_id} is {task.status.value}.",
            )
        session.after_commit(partial(self._publish_now, task, "task queued again"))
        return task

    def replay_failed(self, session: WriteSession, task_ids: Iterable[str]) -> None:
        """Queue those of the tasks again that are still there and failed."""
        for task_id in task_ids:
            with suppress(ProblemError):
                self.replay(session, task_id)

    def _publish_now(self, task: Task, said: str) -> None:
        log.info(said, queue=task.queue, **_ids(task))
        self._publish(Message(task.id, task.name, task.queue, task.request_id, task.traceparent))


def _ids(task: Task) -> dict[str, str | None]:
    """Return what its lines are found by, the request that it was accepted in among it."""
    return {"task_id": task.id, "task": task.name, "accepted_in": task.request_id}


def _unknown(task_id: str) -> ProblemError:
    return ProblemError(
        HTTPStatus.NOT_FOUND,
        f"There is no task {task_id}: it was never accepted, or it has been removed since it ended.",
    )
