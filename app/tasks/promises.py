"""Promises: the tasks that a request wants accepted together, made ready for the ledger."""

from collections.abc import Collection, Sequence
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

import pydantic
from uuid6 import uuid7

from app.models import Task, TaskStatus
from app.problems import ProblemError
from app.settings import Settings
from app.tasks.idempotency import Claim
from app.tasks.registry import TaskDefinition, TaskRegistry
from app.tracing.tracing import Tracing


@dataclass(frozen=True)
class Promise:
    """Tasks that are accepted all or not at all, and only if there are these users."""

    tasks: Sequence[Task]
    claim: Claim | None = None
    user_ids: frozenset[int] = frozenset()
    # the request's own, in which its lines are logged and its statements traced
    context: Context = field(default_factory=copy_context)


class Promises:
    """Makes promises of what clients ask for."""

    def __init__(self, registry: TaskRegistry, settings: Settings, tracing: Tracing) -> None:
        self._registry = registry
        self._settings = settings
        self._tracing = tracing

    def one(
        self,
        name: str,
        payload: dict[str, Any],
        *,
        key: str | None,
        request_id: str | None,
        user_ids: Collection[int] = (),
    ) -> Promise:
        """Promise a task.

        Raises:
            ProblemError: the task is unknown, or the payload does not fit.
        """
        definition = self._definition(name)
        clean = _validate(definition, payload)
        claim = Claim.for_one(key, name, clean) if key else None
        return self._promise(definition, [clean], claim, request_id, user_ids)

    def several(
        self,
        name: str,
        payloads: Sequence[dict[str, Any]],
        *,
        key: str | None,
        request_id: str | None,
        user_ids: Collection[int] = (),
    ) -> Promise:
        """Promise a task per payload.

        Raises:
            ProblemError: as for one task.
        """
        definition = self._definition(name)
        clean = [_validate(definition, payload) for payload in payloads]
        claim = Claim.for_all(key, name, clean) if key else None
        return self._promise(definition, clean, claim, request_id, user_ids)

    def _promise(
        self,
        definition: TaskDefinition,
        payloads: Sequence[dict[str, Any]],
        claim: Claim | None,
        request_id: str | None,
        user_ids: Collection[int],
    ) -> Promise:
        tasks = [self._new_task(definition, payload, request_id) for payload in payloads]
        if claim:
            claim.mark(tasks)
        return Promise(tasks, claim, frozenset(user_ids))

    def _definition(self, name: str) -> TaskDefinition:
        definition = self._registry.get(name)
        if definition is None:
            known = ", ".join(sorted(known.name for known in self._registry))
            raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no task {name!r}; there are: {known}.")
        return definition

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


def _validate(definition: TaskDefinition, payload: dict[str, Any]) -> dict[str, Any]:
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
