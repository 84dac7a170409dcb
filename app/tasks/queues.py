"""What Redis says about the queues."""

import json
from datetime import UTC, datetime
from typing import Any, NamedTuple

from redis import Redis

UNACKED_KEY = "unacked"
NEVER = datetime.fromtimestamp(0, UTC)


class QueueState(NamedTuple):
    """A queue's length and when its oldest message was published; None if it is empty."""

    depth: int
    oldest_at: datetime | None

    def age_seconds(self, now: datetime) -> float | None:
        """Return the age of the oldest message; a foreign one does not say when it was published."""
        if self.oldest_at is None or self.oldest_at == NEVER:
            return None
        return max(0.0, (now - self.oldest_at).total_seconds())


class QueueInspector:
    """Reads the lists that the messages wait in."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def inspect(self, queue: str) -> QueueState:
        """Return a queue's state, both facts from the same moment."""
        with self._redis.pipeline(transaction=True) as pipeline:
            pipeline.llen(queue)
            pipeline.lindex(queue, -1)
            depth, oldest = pipeline.execute()
        return QueueState(depth, published_at(oldest))

    def unacknowledged(self) -> int:
        """Count the messages that workers have received and not acknowledged."""
        return int(self._redis.hlen(UNACKED_KEY))

    def info(self) -> dict[str, Any]:
        """Return what the server says of itself."""
        return dict(self._redis.info())


def published_at(message: str | None) -> datetime | None:
    """Return when a message was published: None without a message, the epoch if it does not tell.

    Nothing was published before the epoch, so behind a foreign message nothing counts as lost.
    """
    if message is None:
        return None
    try:
        return datetime.fromtimestamp(float(json.loads(message)["headers"]["enqueued_at"]), UTC)
    except (ValueError, KeyError, TypeError, OverflowError, OSError):
        return NEVER
