"""Publishing by name: how a message gets into Redis, for API and relay alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import structlog
from celery import Celery
from kombu import Producer
from kombu.exceptions import KombuError
from redis.exceptions import RedisError

from app.metrics import PublishMetrics
from app.settings import Settings
from app.tracing.tracing import TRACEPARENT, Tracing

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
ACQUIRE_TIMEOUT_SECONDS = 1


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
        self._celery = Celery("conveyor", set_as_current=False)
        self._celery.conf.update(
            broker_url=settings.redis_url(settings.redis_db),
            broker_transport_options=transport_options(settings, socket_timeout_seconds=1),
            broker_connection_timeout=1,
            broker_pool_acquire_timeout=ACQUIRE_TIMEOUT_SECONDS,
            task_ignore_result=True,
            task_publish_retry=False,
        )

    def publish(self, messages: Sequence[Message]) -> None:
        """Publish all messages.

        Raises:
            PublishError: some or all of them may not have arrived.
        """
        try:
            with (
                self._metrics.seconds.time(),
                self._celery.producer_pool.acquire(block=True, timeout=ACQUIRE_TIMEOUT_SECONDS) as producer,
                producer.batch(max_size=BATCH_SIZE),  # type: ignore[attr-defined] # newer than its stubs
                self._tracing.publishing(messages) as traceparents,
            ):
                for message, traceparent in zip(messages, traceparents, strict=True):
                    self._send(message, producer, traceparent)
        except (KombuError, RedisError, OSError) as error:
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
        self._celery.close()

    def _send(self, message: Message, producer: Producer, traceparent: str | None) -> None:
        headers = {"request_id": message.request_id, "enqueued_at": datetime.now(UTC).timestamp()}
        if traceparent:
            headers[TRACEPARENT] = traceparent
        self._celery.send_task(
            message.name,
            task_id=message.task_id,
            queue=message.queue,
            producer=producer,
            ignore_result=True,
            headers=headers,
        )
