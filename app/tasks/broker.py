"""Publishing: how a message gets into Redis, for API and relay alike."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import structlog
from redis.exceptions import RedisError

from app.metrics import PublishMetrics
from app.redis_client import connect_redis
from app.settings import Settings
from app.tasks.envelope import envelope
from app.tracing.tracing import Tracing

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
TIMEOUT_SECONDS = 1


class PublishError(Exception):
    """Redis did not take the messages for certain; publishing them again is safe."""


@dataclass(frozen=True)
class Message:
    """What travels: the ledger has all else."""

    task_id: str
    name: str
    queue: str
    request_id: str | None = None
    traceparent: str | None = None


def transport_options(settings: Settings, socket_timeout_seconds: float) -> dict[str, Any]:
    """Return kombu's Redis options, which every process on the queue must share.

    The shortest visibility timeout among all clients wins, so it stands only here.
    """
    return {
        "visibility_timeout": settings.visibility_timeout_seconds,
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "unacked_mutex_expire": 60,
        "socket_connect_timeout": min(2, socket_timeout_seconds),
        "socket_timeout": socket_timeout_seconds,
        "socket_keepalive": True,
        "health_check_interval": 10,
        "priority_steps": [0],  # one list per queue, so that LLEN tells the truth
        "client_name": settings.replica_name,
    }


class Broker:
    """Puts messages into their queues, many per round trip."""

    def __init__(self, settings: Settings, metrics: PublishMetrics, tracing: Tracing | None = None) -> None:
        self._metrics = metrics
        self._tracing = tracing or Tracing()
        self._redis = connect_redis(settings, TIMEOUT_SECONDS)

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish all messages, those of a queue in their order.

        Raises:
            PublishError: some or all of them may not have arrived.
        """
        try:
            with self._metrics.seconds.time(), self._tracing.publishing(messages) as traceparents:
                for batch in _batches(list(zip(messages, traceparents, strict=True))):
                    self._push(batch)
        except RedisError as error:
            self._metrics.failures.inc(len(messages))
            raise PublishError(str(error)) from error
        for message in messages:
            self._metrics.published.labels(message.queue).inc()
            log.info(
                "task published",
                task_id=message.task_id,
                task=message.name,
                queue=message.queue,
                request_id=message.request_id,
            )

    def close(self) -> None:
        """Close the connections to Redis."""
        self._redis.close()

    def _push(self, batch: Sequence[tuple[Message, str | None]]) -> None:
        queues: dict[str, list[str]] = {}
        for message, traceparent in batch:
            queues.setdefault(message.queue, []).append(envelope(message, traceparent))
        with self._redis.pipeline(transaction=False) as pipeline:
            for queue, envelopes in queues.items():
                pipeline.lpush(queue, *envelopes)
            pipeline.execute()


def _batches(
    messages: Sequence[tuple[Message, str | None]],
) -> Iterator[Sequence[tuple[Message, str | None]]]:
    for start in range(0, len(messages), BATCH_SIZE):
        yield messages[start : start + BATCH_SIZE]
