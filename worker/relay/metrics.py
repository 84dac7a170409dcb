"""What the relay measures: the state of the queues, of the outbox and of Redis, and the last backup."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge

from app.models import Backup
from app.outbox.repository import Backlog
from app.tasks.queues import QueueState


class RelayMetrics:
    """Gauges hold what the last look found."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.republished = Counter(
            "tasks_republished_total",
            "Messages that were lost on their way, by reason",
            ["reason"],
            registry=registry,
        )
        self.failures = Counter(
            "relay_failures_total", "Passes that Redis or the primary made impossible", registry=registry
        )
        self.queue_depth = Gauge("queue_depth", "Messages that wait", ["queue"], registry=registry)
        self.queue_oldest_age = Gauge(
            "queue_oldest_age_seconds",
            "Age of the message that is next, 0 if there is none",
            ["queue"],
            registry=registry,
        )
        self.unacked_depth = Gauge("unacked_depth", "Messages that workers hold", registry=registry)
        self.outbox_pending = Gauge("outbox_pending", "Due tasks that are not published", registry=registry)
        self.outbox_oldest_age = Gauge(
            "outbox_oldest_age_seconds", "How long the oldest of them has been due", registry=registry
        )
        self.redis_up = Gauge("redis_up", "1 if Redis answered the last question", registry=registry)
        self.redis_memory_used = Gauge("redis_memory_used_bytes", "Memory Redis uses", registry=registry)
        self.redis_memory_max = Gauge(
            "redis_memory_max_bytes", "Memory Redis may use, 0 if unlimited", registry=registry
        )
        self.redis_aof_ok = Gauge(
            "redis_aof_last_write_ok",
            "1 if the last write of the append-only file succeeded",
            registry=registry,
        )
        self.redis_evicted = Gauge(
            "redis_evicted_keys", "Keys that Redis threw away since its start; must stay 0", registry=registry
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

    def show_queue(self, queue: str, state: QueueState, now: datetime) -> None:
        """Show a queue."""
        age = max(0.0, (now - state.oldest_at).total_seconds()) if state.oldest_at else 0.0
        self.queue_depth.labels(queue).set(state.depth)
        self.queue_oldest_age.labels(queue).set(age)

    def show_backlog(self, backlog: Backlog) -> None:
        """Show the outbox."""
        self.outbox_pending.set(backlog.pending)
        self.outbox_oldest_age.set(backlog.oldest_seconds)

    def show_redis(self, info: Mapping[str, Any]) -> None:
        """Show what Redis says of itself."""
        self.redis_up.set(1)
        self.redis_memory_used.set(info["used_memory"])
        self.redis_memory_max.set(info["maxmemory"])
        self.redis_aof_ok.set(info.get("aof_last_write_status") == "ok")
        self.redis_evicted.set(info["evicted_keys"])

    def show_backup(self, newest: Backup | None) -> None:
        """Show the last backup."""
        self.backup_taken_at.set(newest.taken_at.timestamp() if newest else 0)
        self.backup_bytes.set(newest.bytes if newest else 0)
