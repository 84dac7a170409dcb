"""One relay: its loop, and a thread that answers Prometheus and probes."""

import signal
import time

from prometheus_client import CollectorRegistry, ProcessCollector

from app.database.routing import Database
from app.metrics import DatabaseMetrics, PublishMetrics
from app.monitoring import MonitoringServer
from app.redis_client import connect_redis
from app.settings import Settings
from app.tasks.broker import Broker
from app.tasks.queues import QueueInspector
from app.tasks.registry import TaskRegistry
from app.tracing.tracing import create_tracing
from worker.presence import heartbeat_ages
from worker.relay.loop import RelayLoop
from worker.relay.metrics import RelayMetrics
from worker.relay.relay import Relay
from worker.relay.retention import Retention, rules_of
from worker.relay.retention_metrics import RetentionMetrics

# The API publishes what it has just committed; only what is older is the relay's.
MIN_AGE_SECONDS = 1.0
REDIS_TIMEOUT_SECONDS = 2.0
# A relay that is lost between publishing and marking gives up its locks on the tasks after this time.
IDLE_SECONDS = 30


class RelayProcess:
    """Wires the parts; `run` returns when the relay was told to end."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._registry = registry
        metrics = RelayMetrics(registry)
        ProcessCollector(registry=registry)
        metrics.backup_max_age.set(settings.backup_max_age_seconds)
        self._tracing = create_tracing(settings, "relay")
        self._database = Database(settings, DatabaseMetrics(registry), IDLE_SECONDS)
        registry.register(self._database.pool_metrics)
        queues = TaskRegistry.load(settings.all_task_modules).queues(settings.task_queue)
        self._broker = Broker(settings, PublishMetrics(registry, queues), self._tracing)
        self._redis = connect_redis(settings, REDIS_TIMEOUT_SECONDS)
        relay = Relay(
            self._database,
            self._broker,
            QueueInspector(self._redis),
            metrics,
            queues=queues,
            batch_size=settings.relay_batch_size,
            min_age_seconds=MIN_AGE_SECONDS,
            redelivery_seconds=settings.task_redelivery_seconds,
            silences=lambda: heartbeat_ages(self._redis, time.time()),
        )
        self._loop = RelayLoop(relay, metrics, settings.relay_interval_seconds)
        self._retention = Retention(self._database, RetentionMetrics(registry), rules_of(settings))

    def run(self) -> None:
        """Run until SIGTERM."""
        for signum in (signal.SIGTERM, signal.SIGINT):
            signal.signal(signum, lambda *_: self._loop.stop())
        checks = {"/healthz": self._loop.check_alive, "/readyz": self._loop.check_ready}
        address = (self._settings.metrics_host, self._settings.relay_metrics_port)
        monitoring = MonitoringServer(address, self._registry, checks)
        monitoring.start()
        self._tracing.start()
        self._retention.start()
        try:
            self._loop.run()
        finally:
            self._retention.stop()
            monitoring.stop()
            self._broker.close()
            self._redis.close()
            self._database.dispose()
            self._tracing.stop()
