"""How a task becomes a row, and how the buttons that concern one are answered."""

from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

from fastapi import Request, Response
from fastapi.responses import RedirectResponse

from app.dashboard.pages import View
from app.dashboard.task_row import TaskRow
from app.database.sessions import Role
from app.models import Task
from app.tasks.schemas import TaskView


class TaskAnswers:
    """Answers what changed a task: with its row for htmx, else by leading to its page."""

    def __init__(self, request: Request) -> None:
        self._view = View(request)
        self.request_id: str = request.state.request_id

    def accepted(self, task: Task, form: str) -> Response:
        """Show the new task at once; the form gets a new key, so that it can be pressed again."""
        if not self._view.wants_fragment:
            return see_other(f"/ui/tasks/{task.id}")
        return self._view.show("_accepted.html", row=row_of(task, "primary"), form=form, new_key=uuid4)

    def changed(self, task: Task) -> Response:
        """Show the task as it is now."""
        if not self._view.wants_fragment:
            return see_other(f"/ui/tasks/{task.id}")
        return self._view.show("_changed.html", row=row_of(task, "primary"))


def row_of(task: Task, read_from: Role) -> TaskRow:
    """Return the row of a task as it is now."""
    return TaskRow.of(TaskView.of(task), datetime.now(UTC), read_from)


def see_other(path: str) -> RedirectResponse:
    """Lead a browser without JavaScript on."""
    return RedirectResponse(path, HTTPStatus.SEE_OTHER)
