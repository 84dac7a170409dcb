"""Tasks ended per minute; what is over is counted once."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from app.operations.schemas import EndedMinute

MINUTE_SECONDS = 60
SHOWN_MINUTES = 60
# A row is written a moment before it is committed, and a replica shows it later: in the order of commits.
SETTLED_AFTER_MINUTES = 2


class SucceededMinutes:
    """Remembers the minutes that no further row can belong to.

    A thread that is slow may meet the next one here: what is remembered is replaced, never changed.
    """

    def __init__(self) -> None:
        self._settled: dict[int, int] = {}

    def first_to_count(self, now: int) -> int:
        """Return the first minute of those shown that has to be counted (again)."""
        return next((minute for minute in shown_minutes(now) if minute not in self._settled), now)

    def add(self, counted: Mapping[int, int], first: int, now: int) -> dict[int, int]:
        """Return every shown minute's count, with what was counted from `first` on.

        A member that shows rows of a later minute has shown all of those before.
        """
        newest = max(counted, default=0)
        over = range(first, newest - SETTLED_AFTER_MINUTES + 1)
        known = self._settled | {minute: counted.get(minute, 0) for minute in over}
        shown = shown_minutes(now)
        self._settled = {minute: count for minute, count in known.items() if minute in shown}
        return {minute: known.get(minute, counted.get(minute, 0)) for minute in shown}


def shown_minutes(now: int) -> range:
    """Return the minutes that are shown, the present one last."""
    return range(now - SHOWN_MINUTES + 1, now + 1)


def minute_of(moment: datetime) -> int:
    """Return the minutes since the epoch."""
    return int(moment.timestamp()) // MINUTE_SECONDS


def start_of(minute: int) -> datetime:
    """Return a minute's first second."""
    return datetime.fromtimestamp(minute * MINUTE_SECONDS, UTC)


def ended_minutes(
    minutes: Iterable[int],
    succeeded: Mapping[int, int],
    failed: Mapping[int, int],
    cancelled: Mapping[int, int],
) -> list[EndedMinute]:
    """Put the outcomes of each minute side by side."""
    return [
        EndedMinute(
            start=start_of(minute),
            succeeded=succeeded.get(minute, 0),
            failed=failed.get(minute, 0),
            cancelled=cancelled.get(minute, 0),
        )
        for minute in minutes
    ]
