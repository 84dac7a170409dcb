"""What the ledger says of the model's tasks, and moving its time on."""

from typing import NamedTuple

from sqlalchemy import func, select, text

from app.database.routing import Database
from app.models import Product, RequestLog, Task, TaskStatus

AGE = text(
    "UPDATE tasks SET available_at = available_at - INTERVAL :s SECOND,"
    " published_at = published_at - INTERVAL :s SECOND, lease_until = lease_until - INTERVAL :s SECOND"
    " WHERE queue = :queue"
)
QUERY = select(
    Task.id,
    Task.status,
    Task.attempts,
    Task.max_attempts,
    Task.lease_owner,
    Task.error,
    select(func.count()).where(Product.task_id == Task.id).scalar_subquery().label("products"),
    select(func.count()).where(RequestLog.task_id == Task.id).scalar_subquery().label("log_rows"),
)


class Record(NamedTuple):
    """One task as the database has it."""

    task_id: str
    status: TaskStatus
    attempts: int
    max_attempts: int
    lease_owner: str | None
    error: str | None
    products: int
    log_rows: int


def read_records(database: Database, queue: str) -> dict[str, Record]:
    """Read all tasks of a queue with their effects."""
    with database.write() as session:
        rows = session.execute(QUERY.where(Task.queue == queue)).all()
    return {row.id: Record(*row) for row in rows}


def age_tasks(database: Database, queue: str, seconds: float) -> None:
    """Make everything that is written in the ledger so much older."""
    with database.write() as session:
        session.execute(AGE, {"s": seconds, "queue": queue})
        session.commit()
