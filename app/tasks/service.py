"""What it takes to accept, show, cancel and replay a task."""

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import partial
from http import HTTPStatus
from typing import Any

import pydantic
import structlog
from sqlalchemy.exc import IntegrityError
from uuid6 import uuid7

from app.database.errors import is_duplicate_key
from app.database.sessions import ReadSession, WriteSession
from app.models import Task, TaskStatus
from app.problems import ProblemError
from app.settings import Settings
from app.tasks.broker import Message
from app.tasks.idempotency import Claim
from app.tasks.registry import TaskDefinition, TaskRegistry
from app.tasks.repository import TaskChanges, TaskRepository
from app.tracing.tracing import Tracing

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
        self._registry = registry
        self._settings = settings
        self._publish = publish
        self._count_accepted = count_accepted
        self._tracing = tracing or Tracing()

    def accept(
        self,
        session: WriteSession,
        name: str,
        payload: dict[str, Any],
        *,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> Task:
        """Write the task into the ledger; it is published once the session has committed.

        Raises:
            ProblemError: the task is unknown, the payload does not fit, or the key belongs to another task.
        """
        definition = self._definition(name)
        clean = self._validate(definition, payload)
        claim = Claim.for_one(idempotency_key, name, clean) if idempotency_key else None
        return self._accept(session, definition, [clean], claim, request_id)[0]

    def accept_all(
        self,
        session: WriteSession,
        name: str,
        payloads: Sequence[dict[str, Any]],
        *,
        idempotency_key: str | None = None,
        request_id: str | None = None,
    ) -> Sequence[Task]:
        """Write a task per payload into the ledger: all of them, or none.

        Raises:
            ProblemError: as for one task.
        """
        definition = self._definition(name)
        clean = [self._validate(definition, payload) for payload in payloads]
        claim = Claim.for_all(idempotency_key, name, clean) if idempotency_key else None
        return self._accept(session, definition, clean, claim, request_id)

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
        self._publish_after_commit(session, task, "task queued again")
        return task

    def replay_failed(self, session: WriteSession, task_ids: Iterable[str]) -> None:
        """Queue those of the tasks again that are still there and failed."""
        for task_id in task_ids:
            with suppress(ProblemError):
                self.replay(session, task_id)

    def _accept(
        self,
        session: WriteSession,
        definition: TaskDefinition,
        payloads: Sequence[dict[str, Any]],
        claim: Claim | None,
        request_id: str | None,
    ) -> Sequence[Task]:
        if claim and (accepted := claim.accepted_before(session)):
            return accepted
        tasks = [self._new_task(definition, payload, request_id) for payload in payloads]
        if claim:
            claim.mark(tasks)
        try:
            TaskChanges(session).add(tasks)
        except IntegrityError as error:
            if not (claim and is_duplicate_key(error)):
                raise
            session.rollback()
            return claim.accepted_by_the_winner(session)
        for task in tasks:
            self._publish_after_commit(session, task, "task accepted")
            session.after_commit(partial(self._count_accepted, task.name))
        return tasks

    def _definition(self, name: str) -> TaskDefinition:
        definition = self._registry.get(name)
        if definition is None:
            known = ", ".join(sorted(known.name for known in self._registry))
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no task {name!r}; there are: {known}.")
        return definition

    def _validate(self, definition: TaskDefinition, payload: dict[str, Any]) -> dict[str, Any]:
        try:
            return definition.payload.model_validate(payload).model_dump(mode="json")
        except pydantic.ValidationError as error:
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                f"The payload does not fit task {definition.name!r}; see errors.",
                errors=[
                    {"loc": ["body", "payload", *one["loc"]], "msg": one["msg"], "type": one["type"]}
                    for one in error.errors()
                ],
            ) from error

    def _new_task(self, definition: TaskDefinition, payload: dict[str, Any], request_id: str | None) -> Task:
        settings = self._settings
        retries = settings.task_max_retries if definition.max_retries is None else definition.max_retries
        delay = definition.retry_delay_seconds
        return Task(
            id=str(uuid7()),
            name=definition.name,
            queue=definition.queue or settings.task_queue,
            payload=payload,
            status=TaskStatus.QUEUED,
            max_attempts=retries + 1,
            retry_delay_seconds=settings.task_retry_delay_seconds if delay is None else delay,
            accepted_by=settings.replica_name,
            request_id=request_id,
            traceparent=self._tracing.traceparent(),
        )

    def _publish_after_commit(self, session: WriteSession, task: Task, said: str) -> None:
        message = Message(task.id, task.name, task.queue, task.request_id, task.traceparent)

        def publish() -> None:
            log.info(said, queue=message.queue, **_ids(task))
            self._publish(message)

        session.after_commit(publish)


def _ids(task: Task) -> dict[str, str | None]:
    """Return what its lines are found by, the request that it was accepted in among it."""
    return {"task_id": task.id, "task": task.name, "accepted_in": task.request_id}


def _unknown(task_id: str) -> ProblemError:
    return ProblemError(HTTPStatus.NOT_FOUND, f"No task {task_id} was ever accepted.")
