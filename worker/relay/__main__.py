"""`python -m worker.relay`: relay until told to end."""

import signal
import sys

from prometheus_client import CollectorRegistry

from app.database.routing import Database
from app.logging import configure_logging
from app.metrics import DatabaseMetrics, PublishMetrics
from app.redis_client import connect_redis
from app.settings import Settings, load_settings
from app.tasks.broker import Broker
from app.tasks.queues import QueueInspector
from app.tasks.registry import TaskRegistry
from worker.monitoring import MonitoringServer
from worker.relay.loop import RelayLoop
from worker.relay.metrics import RelayMetrics
from worker.relay.relay import Relay

# The API publishes what it has just committed; only what is older is the relay's.
MIN_AGE_SECONDS = 1.0
REDIS_TIMEOUT_SECONDS = 2.0
# A relay that is lost between publishing and marking gives up its locks on the tasks after this time.
IDLE_SECONDS = 30


def main() -> int:
    """Run the relay; returns its exit code."""
    settings = load_settings()
    name = settings.replica_name
    configure_logging(settings.log_level, settings.log_format, process="relay", replica=name)
    run(settings)
    return 0


def run(settings: Settings) -> None:
    """Wire the relay and run it until SIGTERM."""
    registry = CollectorRegistry()
    metrics = RelayMetrics(registry)
    metrics.backup_max_age.set(settings.backup_max_age_hours * 3600)
    database = Database(settings, DatabaseMetrics(registry), IDLE_SECONDS)
    broker = Broker(settings, PublishMetrics(registry))
    redis = connect_redis(settings, REDIS_TIMEOUT_SECONDS)
    relay = Relay(
        database,
        broker,
        QueueInspector(redis),
        metrics,
        queues=TaskRegistry.load(settings.all_task_modules).queues(settings.task_queue),
        batch_size=settings.relay_batch_size,
        min_age_seconds=MIN_AGE_SECONDS,
        redelivery_seconds=settings.task_redelivery_seconds,
    )
    loop = RelayLoop(relay, metrics, settings.relay_interval_seconds)
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, lambda *_: loop.stop())
    checks = {"/healthz": loop.check_alive, "/readyz": loop.check_ready}
    monitoring = MonitoringServer((settings.metrics_host, settings.relay_metrics_port), registry, checks)
    monitoring.start()
    try:
        loop.run()
    finally:
        monitoring.stop()
        broker.close()
        redis.close()
        database.dispose()


if __name__ == "__main__":
    sys.exit(main())
