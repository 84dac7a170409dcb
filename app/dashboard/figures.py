"""The figures on top of the operations page: each a number, what it means, and how grave it is."""

from datetime import datetime
from typing import NamedTuple

from app.dashboard.sparkline import ended
from app.dashboard.wording import ago, amount, duration, size
from app.operations.problems import LATE_SECONDS, LONG_WAIT_SECONDS, backup_problems
from app.operations.repository import MOST_COUNTED_FAILED
from app.operations.schemas import OperationsStatus
from app.operations.throughput import MINUTE_SECONDS

REDIS_PARTS = {"redis", "workers", "queues", "unacknowledged"}
TOO_LONG = "maximum statement execution time exceeded"


class Figure(NamedTuple):
    """One number for a person in a hurry."""

    title: str
    value: str
    note: str
    tone: str = "ok"


def figures(status: OperationsStatus, now: datetime) -> list[Figure]:
    """Return the figures in the order of a task's path."""
    return [
        oldest_message(status),
        held(status),
        outbox(status),
        throughput(status),
        failed(status, now),
        backup(status, now),
    ]


def silence(part: str, reason: str) -> str:
    """Say who gave no answer, and why."""
    who = "Redis" if part in REDIS_PARTS else "MySQL"
    if TOO_LONG in reason:
        return f"{who} would need too long to count."
    if reason.startswith("no answer"):
        return f"{who} gave {reason}."
    return f"{who} does not answer: {reason.rstrip('.')}."


def oldest_message(status: OperationsStatus) -> Figure:
    """Show the queues' age: what a caller feels first."""
    title = "Oldest message"
    if "queues" in status.unknown:
        return _unknown(title, status, "queues")
    ages = [queue.oldest_age_seconds for queue in status.queues if queue.oldest_age_seconds is not None]
    waiting = sum(queue.depth for queue in status.queues)
    if not waiting:
        return Figure(title, "none", "the queues are empty")
    note = f"{amount(waiting, 'message')} waiting"
    if not ages:
        return Figure(title, "?", note)
    oldest = max(ages)
    return Figure(title, duration(oldest), note, "warn" if oldest > LONG_WAIT_SECONDS else "ok")


def held(status: OperationsStatus) -> Figure:
    """Show what workers have received and not acknowledged."""
    title = "With workers"
    if status.unacknowledged is None:
        return _unknown(title, status, "unacknowledged")
    alive = sum(worker.alive for worker in status.workers)
    note = f"unacknowledged; {amount(alive, 'worker')} alive"
    return Figure(title, f"{status.unacknowledged:,}", note, "ok" if alive else "bad")


def outbox(status: OperationsStatus) -> Figure:
    """Show what was promised and is in no queue."""
    title = "Outbox"
    if status.outbox is None:
        return _unknown(title, status, "ledger")
    if not status.outbox.pending:
        return Figure(title, "0", "all that is due is published")
    age = status.outbox.oldest_age_seconds
    tone = "bad" if age >= LATE_SECONDS else "warn"
    return Figure(title, f"{status.outbox.pending:,}", f"unpublished, oldest due for {duration(age)}", tone)


def throughput(status: OperationsStatus) -> Figure:
    """Show what ended in the last minute that is over."""
    title = "Ended"
    if "ended" in status.unknown:
        return _unknown(title, status, "ended")
    count = ended(status.ended[-2])
    return Figure(title, f"{count:,}", f"in the minute from {status.ended[-2].start:%H:%M} UTC")


def failed(status: OperationsStatus, now: datetime) -> Figure:
    """Show what waits for a person."""
    title = "Failed"
    if status.failed is None:
        return _unknown(title, status, "ledger")
    if not status.failed.count:
        return Figure(title, "0", "nothing to replay")
    latest = max(task.finished_at or task.created_at for task in status.failed.newest)
    tone = "warn" if (now - latest).total_seconds() < 60 * MINUTE_SECONDS else "idle"
    return Figure(title, failed_count(status.failed.count), f"the newest {ago(latest, now)}", tone)


def failed_count(count: int) -> str:
    """Say how many failed; who counts to the bound may have stopped there."""
    return f"{count:,} or more" if count >= MOST_COUNTED_FAILED else str(count)


def backup(status: OperationsStatus, now: datetime) -> Figure:
    """Show the last backup."""
    title = "Last backup"
    if status.backup is None:
        return _unknown(title, status, "ledger")
    if status.backup.taken_at is None or status.backup.bytes is None:
        if status.backup.max_age_seconds:
            return Figure(title, "none", "one is expected", "bad")
        return Figure(title, "none", "none is expected", "idle")
    tone = "bad" if backup_problems(status.backup) else "ok"
    return Figure(title, ago(status.backup.taken_at, now), size(status.backup.bytes), tone)


def _unknown(title: str, status: OperationsStatus, part: str) -> Figure:
    said = silence(part, status.unknown.get(part, "no reason was given"))
    return Figure(title, "Unknown", said.partition(":")[0].rstrip("."), "bad")
