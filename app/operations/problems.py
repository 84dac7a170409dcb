"""What is wrong with tasks and backups, in words."""

from app.operations.schemas import BackupStatus, OutboxStatus
from app.settings import HOUR_SECONDS

# The relay publishes after a second what the API could not.
LATE_SECONDS = 60
# For a worker: the alert of it is due then. No part is down, so it is no problem.
LONG_WAIT_SECONDS = 300


def outbox_problems(outbox: OutboxStatus | None) -> list[str]:
    """Say that accepted tasks reach no queue."""
    if outbox is None or outbox.oldest_age_seconds < LATE_SECONDS:
        return []
    late = f"{outbox.pending} accepted {'task has' if outbox.pending == 1 else 'tasks have'} reached no queue"
    return [f"{late} for {outbox.oldest_age_seconds:.0f} s: Redis or the relays are down"]


def backup_problems(backup: BackupStatus | None) -> list[str]:
    """Say that a backup is due."""
    if backup is None or not backup.max_age_seconds:
        return []
    if backup.age_seconds is None:
        return ["there is no backup yet"]
    if backup.age_seconds <= backup.max_age_seconds:
        return []
    hours, most = backup.age_seconds / HOUR_SECONDS, backup.max_age_seconds / HOUR_SECONDS
    return [f"the last backup is {hours:.0f} h old, more than the {most:.0f} h that are allowed"]
