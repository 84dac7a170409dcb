"""Gathers what a person on call looks at, in about two seconds whatever is down."""

from datetime import UTC, datetime
from typing import NamedTuple

from redis import Redis

from app.backups.repository import BackupRepository
from app.cluster.service import ClusterService, unknown_parts
from app.database.routing import Database
from app.health import Prober
from app.models import Backup, TaskStatus
from app.operations.problems import backup_problems, outbox_problems
from app.operations.repository import OperationsRepository
from app.operations.schemas import (
    BackupStatus,
    EndedMinute,
    FailedTasks,
    OperationsStatus,
    OutboxStatus,
)
from app.operations.throughput import SucceededMinutes, ended_minutes, minute_of, shown_minutes, start_of
from app.outbox.repository import BacklogRepository
from app.settings import Settings
from app.tasks.queues import QueueInspector
from app.tasks.repository import TaskRepository
from app.tasks.schemas import TaskView

# A little more than one of the bounded statements may take. Each read runs several, one after the other: on a
# server that needs so long for more than one, its part is unknown, and the read goes on behind the answer.
TIMEOUT_SECONDS = 2.0
SHOWN_FAILED = 10


class LedgerStatus(NamedTuple):
    """What one member says of the tables."""

    outbox: OutboxStatus
    failed: FailedTasks
    backup: BackupStatus


class OperationsService:
    """Asks once for all who look at the same time."""

    def __init__(self, cluster: ClusterService, database: Database, redis: Redis, settings: Settings) -> None:
        self._cluster = cluster
        self._database = database
        self._inspector = QueueInspector(redis)
        self._max_backup_age_seconds = settings.backup_max_age_seconds
        self._succeeded = SucceededMinutes()
        self._prober = Prober(shares=True)

    def status(self) -> OperationsStatus:
        """Return what is known of every part, and what is not."""
        answers = self._prober.ask(
            {
                "cluster": self._cluster.status,
                "unacknowledged": self._inspector.unacknowledged,
                "ledger": self._read_ledger,
                "ended": self._read_ended,
            },
            TIMEOUT_SECONDS,
        )
        cluster = answers.pop("cluster").value or self._cluster.status()
        ledger: LedgerStatus | None = answers["ledger"].value
        outbox, failed, backup = ledger or (None, None, None)
        problems = [*cluster.problems, *outbox_problems(outbox), *backup_problems(backup)]
        return OperationsStatus(
            status="degraded" if problems else "ok",
            problems=problems,
            workers=cluster.workers,
            queues=cluster.queues,
            redis=cluster.redis,
            mysql=cluster.mysql,
            unknown=cluster.unknown | unknown_parts(answers),
            unacknowledged=answers["unacknowledged"].value,
            outbox=outbox,
            ended=answers["ended"].value or [],
            failed=failed,
            backup=backup,
        )

    def close(self) -> None:
        """End the threads."""
        self._prober.close()

    def _read_ledger(self) -> LedgerStatus:
        with self._database.read() as session:
            backlog = BacklogRepository(session).backlog()
            newest = TaskRepository(session).list(TaskStatus.FAILED, None, SHOWN_FAILED)
            count = OperationsRepository(session).count_failed()
            backup = BackupRepository(session).newest()
            return LedgerStatus(
                OutboxStatus(pending=backlog.pending, oldest_age_seconds=round(backlog.oldest_seconds, 1)),
                FailedTasks(count=count, newest=[TaskView.of(task) for task in newest]),
                backup_status(backup, self._max_backup_age_seconds, datetime.now(UTC)),
            )

    def _read_ended(self) -> list[EndedMinute]:
        now = minute_of(datetime.now(UTC))
        minutes = shown_minutes(now)
        first, earliest = self._succeeded.first_to_count(now), start_of(minutes[0])
        with self._database.read() as session:
            operations = OperationsRepository(session)
            return ended_minutes(
                minutes,
                self._succeeded.add(operations.succeeded(start_of(first)), first, now),
                operations.ended_as(TaskStatus.FAILED, earliest),
                operations.ended_as(TaskStatus.CANCELLED, earliest),
            )


def backup_status(backup: Backup | None, max_age_seconds: int, now: datetime) -> BackupStatus:
    """Show the last backup with its age."""
    if backup is None:
        return BackupStatus(taken_at=None, bytes=None, age_seconds=None, max_age_seconds=max_age_seconds)
    age = max(0.0, (now - backup.taken_at).total_seconds())
    return BackupStatus(
        taken_at=backup.taken_at, bytes=backup.bytes, age_seconds=round(age), max_age_seconds=max_age_seconds
    )
