"""A task as a row of the dashboard: what it says, and how often it asks for news of itself."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Self

from app.dashboard.wording import duration, outcome, title
from app.models import TaskStatus
from app.tasks.schemas import TaskView

EAGER, CALM = "500ms", "3s"
UNANSWERED_SECONDS = 10
GIVE_UP_SECONDS = 60


class Badge(NamedTuple):
    """A status as icon, word and tone: colour never stands alone."""

    icon: str
    word: str
    tone: str


BADGES = {
    TaskStatus.QUEUED: Badge("clock", "Queued", "idle"),
    TaskStatus.RUNNING: Badge("play", "Running", "busy"),
    TaskStatus.RETRYING: Badge("repeat", "Retrying", "warn"),
    TaskStatus.SUCCEEDED: Badge("check", "Succeeded", "ok"),
    TaskStatus.FAILED: Badge("cross", "Failed", "bad"),
    TaskStatus.CANCELLED: Badge("stop", "Cancelled", "idle"),
}


@dataclass(frozen=True)
class TaskRow:
    """What the templates show of a task."""

    task: TaskView
    title: str
    badge: Badge
    outcome: str
    waited: str | None
    ran: str | None
    read_from: str
    unanswered: str | None
    poll: str | None

    @classmethod
    def of(cls, task: TaskView, now: datetime, read_from: str) -> Self:
        """Build the row of a task as it is at `now`."""
        silence = unanswered_seconds(task, now)
        return cls(
            task=task,
            title=title(task.name),
            badge=BADGES[task.status],
            outcome=outcome(task, now),
            waited=_waited(task, now),
            ran=_ran(task, now),
            read_from=read_from,
            unanswered=duration(silence) if silence >= UNANSWERED_SECONDS else None,
            poll=poll_interval(task, now),
        )

    @property
    def id(self) -> str:
        """The task's id."""
        return str(self.task.task_id)

    @property
    def given_up(self) -> bool:
        """Whether the row has stopped asking although the task has not ended."""
        return self.poll is None and not self.task.status.is_final

    @property
    def can_cancel(self) -> bool:
        """Whether cancelling would still change something."""
        return not self.task.status.is_final

    @property
    def can_replay(self) -> bool:
        """Whether the task may be queued again."""
        return self.task.status is TaskStatus.FAILED


def unanswered_seconds(task: TaskView, now: datetime) -> float:
    """Return for how long a due task has been waiting for any worker."""
    if task.status is not TaskStatus.QUEUED:
        return 0.0
    return max(0.0, (now - task.available_at).total_seconds())


def poll_interval(task: TaskView, now: datetime) -> str | None:
    """Return how often to ask: often at first, then calmly, at last (or at the end) not at all."""
    if task.status.is_final:
        return None
    if task.status is TaskStatus.QUEUED and unanswered_seconds(task, now) >= GIVE_UP_SECONDS:
        return None
    last_change = task.started_at if task.status is TaskStatus.RUNNING else task.available_at
    seconds = (now - (last_change or task.created_at)).total_seconds()
    return EAGER if -1 <= seconds < UNANSWERED_SECONDS else CALM


def _waited(task: TaskView, now: datetime) -> str | None:
    if task.queue_wait_seconds is not None:
        return duration(task.queue_wait_seconds)
    if task.status is TaskStatus.QUEUED:
        return f"{unanswered_seconds(task, now):.0f} s so far"
    return None


def _ran(task: TaskView, now: datetime) -> str | None:
    if task.run_seconds is not None:
        return duration(task.run_seconds)
    if task.status is TaskStatus.RUNNING and task.started_at:
        return f"{max(0.0, (now - task.started_at).total_seconds()):.0f} s so far"
    return None
