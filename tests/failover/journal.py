"""What clients of the database and of the API asked for, and what they were answered."""

import math
from dataclasses import dataclass, field
from itertools import pairwise

# Clients write many times a second; a shorter pause is no outage.
PAUSE_SECONDS = 0.5
DONE = {200, 201, 202}


@dataclass(frozen=True)
class Insert:
    """A row written straight into the database; whether it is there is open if there was an error."""

    id: int
    sent: float
    ended: float
    error: str = ""


@dataclass(frozen=True)
class Exchange:
    """A request to the API; a status of 0 is no answer at all."""

    what: str
    sent: float
    ended: float
    status: int
    retry_after: str = ""
    detail: str = ""

    @property
    def seconds(self) -> float:
        return self.ended - self.sent


@dataclass
class Journal:
    """Lists that threads append to, each in one step, and that are read when they have ended."""

    inserts: list[Insert] = field(default_factory=list)
    users: list[int] = field(default_factory=list)  # acknowledged
    tasks: list[tuple[str, str]] = field(default_factory=list)  # acknowledged: key and id, of each answer
    writes: list[Exchange] = field(default_factory=list)
    reads: list[Exchange] = field(default_factory=list)
    not_read_back: list[str] = field(default_factory=list)  # a client that did not see its own write
    read_back: int = 0

    def acknowledged(self) -> list[Insert]:
        return [one for one in self.inserts if not one.error]

    def acknowledged_after(self, moment: float) -> int:
        return sum(one.sent > moment for one in self.acknowledged())


def pauses(journal: Journal, since: float, until: float = math.inf) -> list[float]:
    """Return for how long nothing was acknowledged, each time that this was noticeable.

    `since` is when a pause may end and `until` when it may begin, in monotonic seconds.
    """
    return [
        later - earlier
        for earlier, later in _gaps(journal, since)
        if later - earlier > PAUSE_SECONDS and earlier < until
    ]


def refused_seconds(journal: Journal, since: float) -> float:
    """Return for how long somebody was refused and nobody acknowledged; to wait is no refusal."""
    refused = [one.ended for one in journal.inserts if one.error]
    refused += [one.ended for one in journal.writes if one.status not in DONE]
    return sum(
        later - earlier
        for earlier, later in _gaps(journal, since)
        if any(earlier < moment <= later for moment in refused)
    )


def _gaps(journal: Journal, since: float) -> list[tuple[float, float]]:
    moments = sorted([since, *(one.ended for one in journal.acknowledged() if one.ended > since)])
    return list(pairwise(moments))
