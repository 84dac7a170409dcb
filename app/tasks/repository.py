"""SQL of tasks as the API needs them: accept, show, cancel, replay."""

from collections.abc import Iterable, Sequence

from sqlalchemy import CursorResult, Update, insert, select, update
from sqlalchemy.orm import Session

from app.database.clock import now
from app.database.sessions import WriteSession
from app.models import FINAL_STATUSES, Base, Task, TaskStatus

TABLE = Base.metadata.tables[Task.__tablename__]
INSERTED = [column.key for column in TABLE.columns if column.server_default is None]
INSERT = insert(TABLE)

# Left to itself, MySQL may go through all tasks by their ids to find some of a state that few are in.
BY_ID = f"/*+ INDEX({Task.__tablename__} ix_tasks_status_id) */"


class TaskRepository:
    """Reads tasks from either kind of session; the functions that change rows take a `WriteSession`."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, task_id: str) -> Task | None:
        """Return the task as it is now, not as this session saw it before."""
        return self._session.get(Task, task_id, populate_existing=True)

    def list_by_keys(self, idempotency_keys: Sequence[str]) -> Sequence[Task]:
        """Return the tasks accepted under some keys."""
        return self._session.scalars(select(Task).where(Task.idempotency_key.in_(idempotency_keys))).all()

    def list(self, status: TaskStatus | None, before: str | None, limit: int) -> Sequence[Task]:
        """Return tasks, newest first: their ids are ordered by time."""
        query = select(Task).order_by(Task.id.desc()).limit(limit)
        if status:
            query = query.prefix_with(BY_ID).where(Task.status == status)
        if before:
            query = query.where(Task.id < before)
        return self._session.scalars(query).all()


class TaskChanges:
    """Changes of tasks on behalf of their owner."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session

    def insert(self, tasks: Iterable[Task]) -> None:
        """Insert the rows by one statement; the session does not know the tasks afterwards."""
        rows = [{name: vars(task).get(name) for name in INSERTED} for task in tasks]
        self._session.execute(INSERT, rows)

    def add(self, tasks: Iterable[Task]) -> None:
        """Insert the rows now, so that a taken idempotency key shows here."""
        self._session.add_all(tasks)
        self._session.flush()

    def cancel(self, task_id: str) -> bool:
        """Cancel a task that is not final; an attempt under way loses its right to finish."""
        return self._apply(
            update(Task)
            .where(Task.id == task_id, Task.status.not_in(FINAL_STATUSES))
            .values(status=TaskStatus.CANCELLED, finished_at=now(), lease_owner=None, lease_until=None)
        )

    def requeue_failed(self, task_id: str) -> bool:
        """Give a failed task all its attempts again."""
        return self._apply(
            update(Task)
            .where(Task.id == task_id, Task.status == TaskStatus.FAILED)
            .values(
                status=TaskStatus.QUEUED,
                attempts=0,
                error=None,
                available_at=now(),
                published_at=None,
                started_at=None,
                finished_at=None,
            )
        )

    def _apply(self, statement: Update) -> bool:
        result = self._session.execute(statement.execution_options(synchronize_session=False))
        return isinstance(result, CursorResult) and result.rowcount == 1
