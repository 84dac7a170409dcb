"""What a running task may know about itself."""

from collections.abc import Callable
from dataclasses import dataclass

from redis import Redis

from structured_logging.exceptions import QuotesPayloadError


class TaskCancelledError(Exception):
    """The task was cancelled by its owner; nothing of this attempt may take effect."""


class PermanentTaskError(QuotesPayloadError):
    """Raised by a task whose failure no retry can cure; it is failed at once with this message."""


@dataclass(frozen=True)
class TaskContext:
    """One attempt, as the task's function sees it."""

    task_id: str
    attempt: int
    worker: str
    redis: Redis
    is_cancelled: Callable[[], bool]

    def raise_if_cancelled(self) -> None:
        """End the attempt here if the task was cancelled: the checkpoint of a long task."""
        if self.is_cancelled():
            raise TaskCancelledError(self.task_id)
