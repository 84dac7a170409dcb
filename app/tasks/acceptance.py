"""Accepting a task within a request: one way, whichever endpoint it is."""

from collections.abc import Sequence
from typing import Annotated, Any
from uuid import UUID

from fastapi import Depends, Header, Request, Response

from app.dependencies import Tasks, Writes
from app.models import Task
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
        self,
        writes: Writes,
        tasks: Tasks,
        request: Request,
        response: Response,
        idempotency_key: IdempotencyKey = None,
    ) -> None:
        self.session = writes
        self._tasks = tasks
        self._request_id: str = request.state.request_id
        self._response = response
        self._idempotency_key = idempotency_key

    def accept(self, name: str, payload: dict[str, Any]) -> TaskAccepted:
        """Accept a task in this request's transaction."""
        task = self._tasks.accept(
            self.session,
            name,
            payload,
            idempotency_key=self._idempotency_key,
            request_id=self._request_id,
        )
        return accepted(task, self._response)

    def accept_all(self, name: str, payloads: Sequence[dict[str, Any]]) -> TasksAccepted:
        """Accept tasks in this request's transaction: all of them, or none."""
        tasks = self._tasks.accept_all(
            self.session,
            name,
            payloads,
            idempotency_key=self._idempotency_key,
            request_id=self._request_id,
        )
        return TasksAccepted(tasks=[promise(task) for task in tasks])


def accepted(task: Task, response: Response) -> TaskAccepted:
    """Build the answer to an accepted task, with the place where it can be followed."""
    response.headers["Location"] = f"/api/tasks/{task.id}"
    return promise(task)


def promise(task: Task) -> TaskAccepted:
    return TaskAccepted(task_id=UUID(task.id), name=task.name)


Accept = Annotated[Acceptance, Depends()]
