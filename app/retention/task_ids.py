"""The time that a task's id begins with: UUIDv7 has the milliseconds since 1970 in its first 48 bits."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

RANDOM_BITS = 80
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)


def accepted_at(task_id: str) -> datetime:
    """Return when the id was made."""
    return EPOCH + (UUID(task_id).int >> RANDOM_BITS) * MILLISECOND


def first_id_of(moment: datetime) -> str:
    """Return what is smaller than each id of that millisecond and later, and larger than all before."""
    return str(UUID(int=(moment - EPOCH) // MILLISECOND << RANDOM_BITS))
