"""/api/tasks."""

import asyncio
import time
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.concurrency import run_in_threadpool
from fastapi.sse import EventSourceResponse, ServerSentEvent

from app.context import ApiContext
from app.database.sessions import ReadSession, WriteSession
from app.dependencies import Context, Reads, Tasks, Writes, client_position
from app.models import Task, TaskStatus
from app.pagination import Limit, cut
from app.problems import problem_responses
from app.retry import ReadRetryRoute
from app.tasks.acceptance import Accept, accepted
from app.tasks.lookup import Found
from app.tasks.repository import TaskRepository
from app.tasks.schemas import TaskAccepted, TaskKind, TaskPage, TaskSubmission, TaskView

router = APIRouter(prefix="/api/tasks", tags=["tasks"], route_class=ReadRetryRoute)

POLL_SECONDS = 0.25
STREAM_LIMIT_SECONDS = 3600
NOT_FOUND, CONFLICT, UNAVAILABLE = HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE


@router.post("", status_code=HTTPStatus.ACCEPTED, responses=problem_responses(NOT_FOUND, UNAVAILABLE))
async def submit_task(submission: TaskSubmission, acceptance: Accept) -> TaskAccepted:
    """Accept any registered task."""
    return await acceptance.accept(submission.name, submission.payload)


@router.get("")
def list_tasks(
    reads: Reads,
    status: TaskStatus | None = None,
    before: Annotated[UUID | None, Query(description="Show what was accepted before this task.")] = None,
    limit: Limit = 50,
) -> TaskPage:
    """List tasks, newest first."""
    found = TaskRepository(reads).list(status, str(before) if before else None, limit + 1)
    page, last = cut(found, limit)
    return TaskPage(items=[TaskView.of(task) for task in page], next=UUID(last.id) if last else None)


@router.get("/kinds")
def list_kinds(context: Context) -> list[TaskKind]:
    """List the tasks that can be submitted, with the schemas of their payloads."""
    return [TaskKind.of(definition) for definition in context.registry]


@router.get("/{task_id}", responses=problem_responses(NOT_FOUND))
def show_task(task_id: UUID, found: Found) -> TaskView:
    """Show a task; whoever sees it succeeded will also see what it made."""
    return TaskView.of(found.find(str(task_id)))


@router.delete("/{task_id}", responses=problem_responses(NOT_FOUND, CONFLICT, UNAVAILABLE))
def cancel_task(task_id: UUID, writes: Writes, tasks: Tasks) -> TaskView:
    """Cancel a task for good: it will have no effect, even if a worker is at it."""
    return TaskView.of(tasks.cancel(writes, str(task_id)))


@router.post(
    "/{task_id}/replay",
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(NOT_FOUND, CONFLICT, UNAVAILABLE),
)
def replay_task(task_id: UUID, writes: Writes, tasks: Tasks, response: Response) -> TaskAccepted:
    """Queue a failed task again."""
    return accepted(tasks.replay(writes, str(task_id)), response)


def task_to_follow(task_id: UUID, reads: Reads, writes: Writes, tasks: Tasks) -> str:
    """Refuse to follow a task that does not exist, while an error can still be sent."""
    return tasks.get(reads, writes, str(task_id)).id


def position_to_follow_from(
    request: Request,
    context: Context,
    last_event_id: Annotated[
        str | None, Header(description="The `id` of the last event seen; nothing older is sent.")
    ] = None,
) -> str | None:
    """Begin where the client is, be it by its last event or by its last request."""
    return context.tokens.read(last_event_id) or client_position(request, context)


@router.get("/{task_id}/events", response_class=EventSourceResponse, responses=problem_responses(NOT_FOUND))
async def follow_task(
    followed: Annotated[str, Depends(task_to_follow, scope="function")],
    position: Annotated[str | None, Depends(position_to_follow_from)],
    context: Context,
) -> AsyncIterator[ServerSentEvent]:
    """Stream the task at each change, until its end; the `id` of an event is a read-your-writes token."""
    deadline = time.monotonic() + STREAM_LIMIT_SECONDS
    shown: TaskView | None = None
    while time.monotonic() < deadline:
        change = await run_in_threadpool(_look_up, context, followed, shown, position)
        if change:
            shown, position = change
            token = context.tokens.issue(position) if position else None
            yield ServerSentEvent(event=shown.status.value, data=shown, id=token)
            if shown.status.is_final:
                return
        await asyncio.sleep(POLL_SECONDS)


def _look_up(
    context: ApiContext, task_id: str, shown: TaskView | None, position: str | None
) -> tuple[TaskView, str | None] | None:
    """Return the task if it has changed, from a member no further behind than what was shown.

    A replica that does not know it (yet) is not believed: it may be far behind, and the only one asked.
    """
    with context.database.read(position) as session:
        if task := TaskRepository(session).get(task_id):
            return _change(task, shown, session)
    with context.database.write() as session:
        task = TaskRepository(session).get(task_id)
        return _change(task, shown, session) if task else None


def _change(
    task: Task, shown: TaskView | None, session: ReadSession | WriteSession
) -> tuple[TaskView, str | None] | None:
    view = TaskView.of(task)
    return None if view == shown else (view, session.position() or None)
