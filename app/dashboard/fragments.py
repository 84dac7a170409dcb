"""The parts of a page that ask for news of themselves."""

import time
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Response

from app.dashboard.contents import SystemState, newest_products, recent_requests
from app.dashboard.operations_answers import OperationsAnswers, Watched
from app.dashboard.pages import View
from app.dashboard.replicas import read_seen
from app.dashboard.task_answers import row_of
from app.dependencies import Context, Reads
from app.retry import ReadRetryRoute
from app.tasks.lookup import Found

router = APIRouter(prefix="/ui/fragments", include_in_schema=False, route_class=ReadRetryRoute)

Shown = Annotated[View, Depends()]


@router.get("/status")
def show_status(view: Shown, context: Context, seen: Annotated[str, Query(max_length=2000)] = "") -> Response:
    """Show every station, and which replicas have answered this browser."""
    state = SystemState.ask(context, read_seen(seen, time.time()))
    return view.show("_status_news.html", state=state)


@router.get("/operations")
def show_operations(operations: Annotated[OperationsAnswers, Depends()], watched: Watched) -> Response:
    """Show what a person on call looks at, and what became of the tasks replayed from there."""
    return operations.news(watched)


@router.get("/products")
def show_products(view: Shown, reads: Reads) -> Response:
    """Show the newest products."""
    return view.show("_products.html", products=newest_products(reads))


@router.get("/requests")
def show_requests(view: Shown, reads: Reads) -> Response:
    """Show the recent requests."""
    return view.show("_requests.html", requests=recent_requests(reads))


@router.get("/tasks/{task_id}")
def show_task_row(task_id: UUID, view: Shown, found: Found) -> Response:
    """Show a task's row; the row of a task that has ended asks no more."""
    row = row_of(found.find(str(task_id)), found.read_from)
    response = view.show("_task.html", row=row)
    if row.task.status.is_final:
        response.headers["HX-Trigger"] = "task-ended"
    return response
