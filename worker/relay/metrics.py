"""What the relay measures: queues, outbox, Redis, the workers, and the last backup."""

from datetime import datetime
from math import nan

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.models import Backup
from app.outbox.repository import Backlog
from app.tasks.queues import QueueState
from worker.relay.redis_metrics import RedisMetrics
from worker.relay.worker_metrics import WorkerMetrics

UNSTARTED, ABANDONED = "unstarted", "abandoned"


class RelayMetrics:
    """Gauges hold what the last look found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.republished = Counter(
            "tasks_republished_total",
            "Messages that were lost on their way, by reason",
            ["reason"],
            registry=registry,
        )
        for reason in (UNSTARTED, ABANDONED):
            self.republished.labels(reason)  # Prometheus sees no increase in a series that begins with 1
        self.failures = Counter(
            "relay_failures_total", "Passes that Redis or the primary made impossible", registry=registry
        )
        self.queue_depth = Gauge("queue_depth", "Messages that wait", ["queue"], registry=registry)
        self.queue_oldest_age = Gauge(
            "queue_oldest_age_seconds",
            "Age of the message that is next, 0 if there is none or it does not tell",
            ["queue"],
            registry=registry,
        )
        self.unacked_depth = Gauge("unacked_depth", "Messages that workers hold", registry=registry)
        self.outbox_pending = Gauge("outbox_pending", "Due tasks that are not published", registry=registry)
        self.outbox_oldest_age = Gauge(
            "outbox_oldest_age_seconds", "How long the oldest of them has been due", registry=registry
        )
        self.backup_max_age = Gauge(
            "backup_max_age_seconds",
            "Age at which the last backup is too old, 0 if none are expected",
            registry=registry,
        )
        self.backup_taken_at = Gauge(
            "backup_last_success_timestamp_seconds",
            "When the last backup was taken, 0 if there is none",
            registry=registry,
        )
        self.backup_bytes = Gauge("backup_last_success_bytes", "Size of that backup", registry=registry)
        self.redis, self.workers = RedisMetrics(), WorkerMetrics()
        for collector in (self.redis, self.workers):
            registry.register(collector)

    def show_queue(self, queue: str, state: QueueState, now: datetime) -> None:
        """Show a queue."""
        self.queue_depth.labels(queue).set(state.depth)
        self.queue_oldest_age.labels(queue).set(state.age_seconds(now) or 0)

    def show_backlog(self, backlog: Backlog) -> None:
        """Show the outbox."""
        self.outbox_pending.set(backlog.pending)
        self.outbox_oldest_age.set(backlog.oldest_seconds)

    def forget_backlog(self) -> None:
        """Show no number: another relay may see the outbox empty by now, and rules take the highest."""
        self.outbox_pending.set(nan)
        self.outbox_oldest_age.set(nan)

    def show_backup(self, newest: Backup | None) -> None:
        """Show the last backup."""
        self.backup_taken_at.set(newest.taken_at.timestamp() if newest else 0)
        self.backup_bytes.set(newest.bytes if newest else 0)
