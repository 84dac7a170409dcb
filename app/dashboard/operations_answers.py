"""How the page for a person on call is answered."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated

import structlog
from fastapi import Depends, Form, Query, Request, Response
from sqlalchemy.exc import SQLAlchemyError

from app.dashboard.operations import MOST_WATCHED, OperationsPage, read_watched
from app.dashboard.pages import View
from app.dashboard.task_answers import row_of, see_other
from app.dashboard.task_row import TaskRow
from app.database.sessions import ReadSession, WriteSession
from app.dependencies import Context, client_position
from app.tasks.repository import TaskRepository

log = structlog.get_logger(__name__)

LONGEST_LIST = 1000


class OperationsAnswers:
    """Shows the state of everything, and of the tasks that were replayed from the page."""

    def __init__(self, request: Request, context: Context) -> None:
        self._view = View(request)
        self._context = context

    def page(self, watched: Sequence[TaskRow]) -> Response:
        """Show the whole page."""
        return self._show("operations.html", watched)

    def news(self, watched: Sequence[TaskRow]) -> Response:
        """Show what the page asks for by itself."""
        return self._show("_operations_news.html", watched)

    def replayed(self, session: WriteSession, task_ids: Sequence[str]) -> Response:
        """Show the replayed tasks as they are now, before those that were replayed earlier."""
        shown = list(dict.fromkeys(task_ids))[:MOST_WATCHED]
        if self._view.wants_fragment:
            return self._show("_replayed.html", rows_of(session, shown))
        return see_other(f"/ui/operations?watched={','.join(shown)}")

    def _show(self, template: str, watched: Sequence[TaskRow]) -> Response:
        page = OperationsPage.of(self._context.operations.status(), watched, datetime.now(UTC))
        return self._view.show(template, page=page)


def rows_of(session: ReadSession | WriteSession, task_ids: Sequence[str]) -> list[TaskRow]:
    """Return the rows of those tasks that exist."""
    tasks = TaskRepository(session)
    return [row_of(task, session.role) for task_id in task_ids if (task := tasks.get(task_id))]


def watched_rows(
    context: Context,
    position: Annotated[str | None, Depends(client_position)],
    watched: Annotated[str, Query(max_length=LONGEST_LIST)] = "",
) -> list[TaskRow]:
    """Return the tasks that were replayed from the page, which is shown without a database, too."""
    if not (task_ids := read_watched(watched)):
        return []
    try:
        with context.database.read(position) as session:
            return rows_of(session, task_ids)
    except SQLAlchemyError as error:
        log.warning("replayed tasks are not shown", error=error)
        return []


Watched = Annotated[list[TaskRow], Depends(watched_rows)]
WatchedBefore = Annotated[str, Form(max_length=LONGEST_LIST)]
