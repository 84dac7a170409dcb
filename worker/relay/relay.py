"""One pass of the relay: what was promised gets published, what got lost is published again."""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.backups.repository import BackupRepository
from app.database.routing import Database
from app.outbox.repository import BacklogRepository, OutboxRepository
from app.tasks.broker import Broker, Message
from app.tasks.queues import QueueInspector
from worker.relay.metrics import ABANDONED, UNSTARTED, RelayMetrics

log = structlog.get_logger(__name__)

MOST_BATCHES_PER_PASS = 20
# Of the time of redelivery: how far the clocks of hosts may be apart.
CLOCK_SHARE = 0.5

Lock = Callable[[OutboxRepository], Sequence[Message]]


class Relay:
    """Any number of relays share the work: each locks the rows it publishes, and passes over others' locks.

    The rows are marked after the messages are in Redis, so a crash in between repeats messages and
    never loses one.
    """

    def __init__(
        self,
        database: Database,
        broker: Broker,
        inspector: QueueInspector,
        metrics: RelayMetrics,
        *,
        queues: Sequence[str],
        batch_size: int,
        min_age_seconds: float,
        redelivery_seconds: float,
        silences: Callable[[], Mapping[str, float]],
    ) -> None:
        self._database = database
        self._broker = broker
        self._inspector = inspector
        self._metrics = metrics
        self._queues = queues
        self._batch_size = batch_size
        self._min_age_seconds = min_age_seconds
        self._redelivery_seconds = redelivery_seconds
        self._silences = silences

    def publish_new(self) -> int:
        """Publish due tasks that nobody has published; returns how many."""
        published = 0
        for _ in range(MOST_BATCHES_PER_PASS):
            batch = self._publish(
                lambda outbox: outbox.lock_unpublished(self._min_age_seconds, self._batch_size)
            )
            published += batch
            if batch < self._batch_size:
                break
        return published

    def reconcile(self) -> int:
        """Publish again what was published and cannot be in a queue nor with a worker; returns how many."""
        # Read before the rows: a message that arrives in between is younger than all of them.
        before = {queue: self._left_before(queue) for queue in self._queues}
        seconds, limit = self._redelivery_seconds, self._batch_size
        republished = self._republish(ABANDONED, lambda outbox: outbox.lock_abandoned(before, seconds, limit))
        for queue in self._queues:
            republished += self._republish_unstarted(queue, before[queue])
        return republished

    def observe_redis(self) -> None:
        """Bring up to date what is known of Redis, its queues and the workers."""
        try:
            for queue in self._queues:
                self._metrics.show_queue(queue, self._inspector.inspect(queue), datetime.now(UTC))
            self._metrics.unacked_depth.set(self._inspector.unacknowledged())
            self._metrics.workers.show(self._silences())
            self._metrics.redis.show(self._inspector.info())
        except RedisError:
            self._metrics.redis.show_down()
            raise

    def observe_ledger(self) -> None:
        """Bring up to date what is known of the outbox, which grows while Redis is away, and of backups."""
        try:
            with self._database.write() as session:
                self._metrics.show_backlog(BacklogRepository(session).backlog())
                self._metrics.show_backup(BackupRepository(session).newest())
        except SQLAlchemyError:
            self._metrics.forget_backlog()
            raise

    def _left_before(self, queue: str) -> datetime | None:
        return left_the_queue_before(self._inspector.inspect(queue).oldest_at, self._redelivery_seconds)

    def _republish_unstarted(self, queue: str, before: datetime | None) -> int:
        seconds, limit = self._redelivery_seconds, self._batch_size
        return self._republish(UNSTARTED, lambda outbox: outbox.lock_overdue(queue, before, seconds, limit))

    def _republish(self, reason: str, lock: Lock) -> int:
        republished = self._publish(lock)
        if republished:
            log.warning("tasks published again", reason=reason, tasks=republished)
            self._metrics.republished.labels(reason).inc(republished)
        return republished

    def _publish(self, lock: Lock) -> int:
        with self._database.write() as session:
            outbox = OutboxRepository(session)
            messages = lock(outbox)
            if not messages:
                return 0
            self._broker.publish(messages)
            outbox.mark_published([message.task_id for message in messages])
            session.commit()
            return len(messages)


def left_the_queue_before(oldest_at: datetime | None, redelivery_seconds: float) -> datetime | None:
    """Return the time of which every message that was published earlier has left the queue.

    `oldest_at` is told by the clock of whoever published, the ledger's times by the database's. They may
    differ by half the time of redelivery: a fast clock must not make waiting messages look lost.
    """
    return oldest_at - timedelta(seconds=redelivery_seconds * CLOCK_SHARE) if oldest_at else None
