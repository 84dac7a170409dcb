"""What the page for a person on call shows."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self
from uuid import UUID

from app.cluster.repository import MISSING
from app.cluster.schemas import ClusterStatus, MemberStatus
from app.dashboard.figures import Figure, failed_count, figures, silence
from app.dashboard.sparkline import Sparkline
from app.dashboard.stations import member_name, member_tone
from app.dashboard.task_row import TaskRow
from app.dashboard.wording import amount, duration
from app.operations.schemas import OperationsStatus

MOST_WATCHED = 10
STATES = {
    "ONLINE": "Online",
    "RECOVERING": "Recovering: it catches up before it serves",
    "UNREACHABLE": "Unreachable: the group does not hear it",
    "OFFLINE": "Offline: it is not in the group",
    "ERROR": "Error: it has left the group, see its log",
    MISSING: "Lost: it is not in the group",
}


class QueueRow(NamedTuple):
    """A queue, and who takes from it."""

    name: str
    waiting: str
    oldest: str
    taken_by: str
    tone: str


class MemberRow(NamedTuple):
    """A member of the database, and how far it is behind."""

    name: str
    role: str
    state: str
    behind: str
    tone: str


@dataclass(frozen=True)
class OperationsPage:
    """Everything on the page; a part that is unknown says so in its place."""

    status: OperationsStatus
    figures: Sequence[Figure]
    sparkline: Sparkline
    queues: Sequence[QueueRow]
    members: Sequence[MemberRow]
    failed: Sequence[TaskRow]
    watched: Sequence[TaskRow]
    silences: Mapping[str, str]

    @classmethod
    def of(cls, status: OperationsStatus, watched: Sequence[TaskRow], now: datetime) -> Self:
        """Put what is known into words; a task that is watched is shown there and nowhere else."""
        newest = status.failed.newest if status.failed else []
        shown = {row.id for row in watched}
        return cls(
            status=status,
            figures=figures(status, now),
            sparkline=Sparkline.of(status.ended),
            queues=queue_rows(status),
            members=[member_row(member) for member in status.mysql.members],
            failed=[TaskRow.of(task, now, "replica") for task in newest if str(task.task_id) not in shown],
            watched=watched,
            silences={part: silence(part, reason) for part, reason in status.unknown.items()},
        )

    @property
    def watched_ids(self) -> str:
        """The list as the browser shall bring it back."""
        return ",".join(row.id for row in self.watched)

    @property
    def failed_title(self) -> str:
        """How many failed, of which only some are shown."""
        count = self.status.failed.count if self.status.failed else 0
        if count <= len(self.failed):
            return "Failed tasks"
        return f"Failed tasks, the newest {len(self.failed)} of {failed_count(count)}"


def read_watched(text: str) -> list[str]:
    """Read the ids of the tasks that were replayed from this page, as the browser brings them."""
    found: list[str] = []
    for part in text.split(",")[:MOST_WATCHED]:
        try:
            found.append(str(UUID(part)))
        except ValueError:
            continue
    return found


def queue_rows(status: ClusterStatus) -> list[QueueRow]:
    """Show who waits, for how long, and for whom."""
    rows = []
    for queue in status.queues:
        workers = sum(queue.name in worker.queues for worker in status.workers if worker.alive)
        age = queue.oldest_age_seconds
        rows.append(
            QueueRow(
                queue.name,
                f"{queue.depth:,}",
                "" if not queue.depth else "unknown" if age is None else duration(age),
                amount(workers, "worker") if workers else "nobody",
                "ok" if workers else "bad" if queue.depth else "warn",
            )
        )
    return rows


def member_row(member: MemberStatus) -> MemberRow:
    """Show a member with its role, its state and its lag."""
    online = member.state == "ONLINE"
    return MemberRow(
        member_name(member.address),
        {"PRIMARY": "primary", "SECONDARY": "replica"}.get(member.role, ""),
        STATES.get(member.state, member.state),
        lag(member) if online else "",
        member_tone(member),
    )


def lag(member: MemberStatus) -> str:
    """Say how much a member has not applied yet."""
    if member.role == "PRIMARY":
        return ""
    return amount(member.lag_transactions, "transaction") if member.lag_transactions else "level"
