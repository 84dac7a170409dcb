"""The state of a system that works, to be changed by a test."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

from app.cluster.schemas import MemberStatus, MySQLStatus, QueueStatus, RedisStatus, WorkerStatus
from app.models import TaskStatus
from app.operations.schemas import BackupStatus, EndedMinute, FailedTasks, OperationsStatus, OutboxStatus
from app.tasks.schemas import TaskView

NOW = datetime(2026, 1, 2, 12, 0, 30, tzinfo=UTC)
FAILED_ID = "0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77"


def minutes(*succeeded: int, failed: int = 0) -> list[EndedMinute]:
    """Build the last minutes; the failed ones ended in the present one."""
    first = NOW.replace(second=0) - timedelta(minutes=len(succeeded) - 1)
    return [
        EndedMinute(
            start=first + timedelta(minutes=number),
            succeeded=count,
            failed=failed if number == len(succeeded) - 1 else 0,
            cancelled=0,
        )
        for number, count in enumerate(succeeded)
    ]


def member(name: str, role: str, state: str = "ONLINE", lag: int = 0) -> MemberStatus:
    """Build a member of the database."""
    return MemberStatus(address=f"{name}:3306", state=state, role=role, lag_transactions=lag)


def failed_task(error: str = "ValueError: no", minutes_ago: float = 5) -> TaskView:
    """Build a task that failed for good."""
    ended = NOW - timedelta(minutes=minutes_ago)
    return TaskView(
        task_id=UUID(FAILED_ID),
        name="create_product_from_user",
        queue="default",
        status=TaskStatus.FAILED,
        attempts=4,
        max_attempts=4,
        payload={},
        result=None,
        error=error,
        worker="worker-1",
        accepted_by="api-1",
        created_at=ended,
        available_at=ended,
        started_at=ended,
        finished_at=ended,
        queue_wait_seconds=None,
        run_seconds=None,
    )


def working(**changes: object) -> OperationsStatus:
    """Build the state of a system in which all is well, but for the changes."""
    worker = WorkerStatus(
        name="worker-1",
        alive=True,
        heartbeat_age_seconds=1.2,
        concurrency=2,
        queues=["default"],
        running=[],
    )
    well = OperationsStatus(
        status="ok",
        problems=[],
        workers=[worker],
        queues=[QueueStatus(name="default", depth=0, oldest_age_seconds=None)],
        redis=RedisStatus(up=True, round_trip_ms=0.4),
        mysql=MySQLStatus(up=True, members=[member("mysql-0", "PRIMARY"), member("mysql-1", "SECONDARY")]),
        unknown={},
        unacknowledged=0,
        outbox=OutboxStatus(pending=0, oldest_age_seconds=0),
        ended=minutes(4, 8, 2),
        failed=FailedTasks(count=0, newest=[]),
        backup=BackupStatus(taken_at=None, bytes=None, age_seconds=None, max_age_seconds=0),
    )
    return well.model_copy(update=changes)
