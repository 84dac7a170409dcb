"""The time that a task's id begins with: UUIDv7 has the milliseconds since 1970 in its first 48 bits."""

from datetime import UTC, datetime
from uuid import UUID

RANDOM_BITS = 80
THOUSAND = 1000


def accepted_at(task_id: str) -> datetime:
    """Return when the id was made."""
    return datetime.fromtimestamp((UUID(task_id).int >> RANDOM_BITS) / THOUSAND, UTC)


def first_id_of(moment: datetime) -> str:
    """Return what is smaller than each id of that millisecond and later, and larger than all before."""
    return str(UUID(int=round(moment.timestamp() * THOUSAND) << RANDOM_BITS))
