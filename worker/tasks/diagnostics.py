"""Tasks that show whether the way from the API to the database works."""

import time

from pydantic import BaseModel
from sqlalchemy import text

from app.database.sessions import Role, WriteSession
from app.tasks.context import TaskContext
from app.tasks.registry import task


class Nothing(BaseModel):
    """This task takes no arguments."""


class ConnectionReport(BaseModel):
    """Who ran the task, and how its neighbours answered."""

    worker: str
    database_role: Role
    database_server: str
    database_round_trip_ms: float
    redis_round_trip_ms: float


@task("test_worker_connection", max_retries=0)
def test_worker_connection(session: WriteSession, payload: Nothing, context: TaskContext) -> ConnectionReport:
    """Ask the primary and Redis, and say how long each took."""
    del payload
    started = time.perf_counter()
    server = session.scalar(text("SELECT CONCAT(@@hostname, ':', @@port)"))
    answered = time.perf_counter()
    context.redis.ping()
    return ConnectionReport(
        worker=context.worker,
        database_role=session.role,
        database_server=str(server),
        database_round_trip_ms=_milliseconds(answered - started),
        redis_round_trip_ms=_milliseconds(time.perf_counter() - answered),
    )


def _milliseconds(seconds: float) -> float:
    return round(seconds * 1000, 2)
