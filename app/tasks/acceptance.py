"""Accepting a task within a request: one way, whichever endpoint it is."""

from collections.abc import Collection, Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from app.context import ApiContext
from app.database.sessions import WriteSession
from app.dependencies import Context
from app.models import Task
from app.tasks.promises import Promise
from app.tasks.schemas import TaskAccepted, TasksAccepted

IdempotencyKey = Annotated[
    str | None,
    Header(
        min_length=1,
        max_length=255,
        description="Repeating a request with the same key gives the same tasks instead of further ones.",
    ),
]


class Acceptance:
    """Knows the request's idempotency key and id, and how a promise is answered."""

    def __init__(
        self, context: ApiContext, request: Request, response: Response, idempotency_key: str | None
    ) -> None:
        self._acceptor = context.acceptor
        self._promises = context.tasks.promises
        self._span = context.tracing.span
        self._state = request.state
        self._response = response
        self._idempotency_key = idempotency_key

    async def accept(
        self, name: str, payload: dict[str, Any], *, user_ids: Collection[int] = ()
    ) -> TaskAccepted:
        """Accept a task, for users that have to exist."""
        promise = self._promises.one(
            name,
            payload,
            key=self._idempotency_key,
            request_id=self._state.request_id,
            user_ids=user_ids,
        )
        [task] = await self._make(promise)
        return accepted(task, self._response)

    async def accept_all(
        self, name: str, payloads: Sequence[dict[str, Any]], *, user_ids: Collection[int] = ()
    ) -> TasksAccepted:
        """Accept a task per payload: all of them, or none."""
        promise = self._promises.several(
            name,
            payloads,
            key=self._idempotency_key,
            request_id=self._state.request_id,
            user_ids=user_ids,
        )
        return TasksAccepted(tasks=[answer_of(task) for task in await self._make(promise)])

    async def _make(self, promise: Promise) -> Sequence[Task]:
        with self._span("accept"):
            made = await self._acceptor.accept(promise)
        self._state.database_role = WriteSession.role
        self._state.causality_position = made.position
        return made.tasks


def accepted(task: Task, response: Response) -> TaskAccepted:
    """Build the answer to an accepted task, with the place where it can be followed."""
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return answer_of(task)


def answer_of(task: Task) -> TaskAccepted:
    return TaskAccepted(task_id=UUID(task.id), name=task.name)


async def acceptance(
    context: Context, request: Request, response: Response, idempotency_key: IdempotencyKey = None
) -> Acceptance:
    """Return the request's way to accept tasks; a coroutine, for a function would cost a change of thread."""
    return Acceptance(context, request, response, idempotency_key)


Accept = Annotated[Acceptance, Depends(acceptance)]
