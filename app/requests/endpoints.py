"""/api/requests."""

from typing import Annotated

from fastapi import APIRouter, Query

from app.dependencies import Reads
from app.pagination import BeforeId, Limit, cut
from app.requests.repository import RequestLogRepository
from app.requests.schemas import RequestPage, RequestView
from app.retry import ReadRetryRoute

router = APIRouter(prefix="/api/requests", tags=["requests"], route_class=ReadRetryRoute)


@router.get("")
def list_requests(
    reads: Reads,
    server_id: Annotated[
        str | None, Query(max_length=255, description="An API replica, or celery-worker.")
    ] = None,
    before: BeforeId = None,
    limit: Limit = 50,
) -> RequestPage:
    """List answered requests and finished tasks, newest first."""
    page, last = cut(RequestLogRepository(reads).list(server_id, before, limit + 1), limit)
    return RequestPage(
        items=[RequestView.model_validate(row) for row in page], next=last.id if last else None
    )
