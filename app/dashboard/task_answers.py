"""How a task is looked up for a page, and how the buttons that concern one are answered."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.dashboard.pages import View
from app.dashboard.task_row import TaskRow
from app.dependencies import Reads, Tasks, Writes
from app.models import Task
from app.tasks.schemas import TaskView


class TaskLookup:
    """Finds a task as `GET /api/tasks/{task_id}` does."""

    def __init__(self, reads: Reads, writes: Writes, tasks: Tasks, request: Request) -> None:
        self._reads = reads
        self._writes = writes
        self._tasks = tasks
        self._request = request

    def row(self, task_id: str) -> TaskRow:
        """Return the row of a task; whoever sees it ended will also see what it made."""
        task = self._tasks.get(self._reads, self._writes, task_id)
        if task.status.is_final:
            self._request.state.causality_position = self._reads.position()
        return TaskRow.of(TaskView.of(task), datetime.now(UTC), self._reads.role)


class TaskAnswers:
    """Answers what changed a task: with its row for htmx, else by leading to its page."""

    def __init__(self, request: Request) -> None:
        self._view = View(request)
        self.request_id: str = request.state.request_id

    def accepted(self, task: Task, form: str) -> Response:
        """Show the new task at once; the form gets a new key, so that it can be pressed again."""
        if not self._view.wants_fragment:
            return _see_other(f"/ui/tasks/{task.id}")
        return self._view.show("_accepted.html", row=_row(task), form=form, new_key=uuid4)

    def changed(self, task: Task) -> Response:
        """Show the task as it is now."""
        if not self._view.wants_fragment:
            return _see_other(f"/ui/tasks/{task.id}")
        return self._view.show("_changed.html", row=_row(task))


def _row(task: Task) -> TaskRow:
    return TaskRow.of(TaskView.of(task), datetime.now(UTC), read_from="primary")


def _see_other(path: str) -> RedirectResponse:
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
