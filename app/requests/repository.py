"""SQL of the log of requests."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, and_, insert, or_, select
from sqlalchemy.orm import Session

from app.models import RequestLog

WORKER_SERVER_ID = "celery-worker"
TASK_METHOD = "TASK"
HTTP_OK = 200
# Left to itself, MySQL may go through the rows of all servers to find some of one that wrote few.
BY_TIME = f"/*+ INDEX({RequestLog.__tablename__} ix_requests_server_id_timestamp) */"


class RequestLogRepository:
    """One row per answered request and per finished task."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def list(self, server_id: str | None, before: int | None, limit: int) -> Sequence[RequestLog]:
        """Return rows, newest first."""
        query = select(RequestLog).limit(limit)
        if before is not None:
            query = query.where(self._is_before(before, of_a_server=bool(server_id)))
        if not server_id:
            return self._session.scalars(query.order_by(RequestLog.id.desc())).all()
        query = query.prefix_with(BY_TIME).where(RequestLog.server_id == server_id)
        return self._session.scalars(query.order_by(RequestLog.timestamp.desc(), RequestLog.id.desc())).all()

    def _is_before(self, row_id: int, *, of_a_server: bool) -> ColumnElement[bool]:
        """Compare with a row of the list, in the list's order; of a row that is gone only the id is known."""
        is_earlier: ColumnElement[bool] = RequestLog.id < row_id
        moment = select(RequestLog.timestamp).where(RequestLog.id == row_id)
        if of_a_server and (timestamp := self._session.scalar(moment)):
            # said twice, for MySQL does not begin in the index where an OR would let it
            return and_(RequestLog.timestamp <= timestamp, or_(RequestLog.timestamp < timestamp, is_earlier))
        return is_earlier

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
