"""SQL of the log of requests."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session

from app.models import RequestLog

WORKER_SERVER_ID = "celery-worker"
TASK_METHOD = "TASK"
HTTP_OK = 200


class RequestLogRepository:
    """One row per answered request and per finished task."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, server_id: str | None, before: int | None, limit: int) -> Sequence[RequestLog]:
        """Return rows, newest first."""
        query = select(RequestLog).order_by(RequestLog.id.desc()).limit(limit)
        if server_id:
            query = query.where(RequestLog.server_id == server_id)
        if before is not None:
            query = query.where(RequestLog.id < before)
        return self._session.scalars(query).all()

    def add_batch(self, rows: Sequence[Mapping[str, Any]]) -> None:
        """Insert many rows in one statement."""
        self._session.execute(insert(RequestLog), rows)

    def add_task_run(self, task_id: str, name: str, duration_seconds: float, request_id: str | None) -> None:
        """Insert the row of a finished task; the unique task id refuses a second one."""
        self._session.execute(
            insert(RequestLog).values(
                server_id=WORKER_SERVER_ID,
                task_id=task_id,
                method=TASK_METHOD,
                path=name,
                status_code=HTTP_OK,
                duration_ms=duration_seconds * 1000,
                request_id=request_id,
            )
        )
