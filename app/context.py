"""What one API process is made of, built once and handed to the endpoints."""

import threading
from dataclasses import dataclass, field
from typing import Self

from prometheus_client import CollectorRegistry, ProcessCollector
from redis import Redis

from app.cluster.service import ClusterService
from app.database.causality import CausalityTokens
from app.database.engines import MAX_CONNECTION_AGE_SECONDS
from app.database.routing import Database
from app.metrics import ApiMetrics, DatabaseMetrics, PublishMetrics
from app.operations.service import OperationsService
from app.redis_client import connect_redis
from app.requests.recorder import RequestRecorder
from app.settings import Settings
from app.tasks.acceptor import Acceptor
from app.tasks.broker import Broker
from app.tasks.group_commit import GroupCommit
from app.tasks.publisher import Publisher
from app.tasks.registry import TaskRegistry
from app.tasks.service import TaskService
from app.tracing.tracing import Tracing, create_tracing

STOP_TIMEOUT_SECONDS = 5
# Questions about the queue: quick to answer, quick to give up.
REDIS_TIMEOUT_SECONDS = 0.5
# More than a connection's age in its pool: the server forgets a replica whose host is gone, and its locks.
IDLE_SECONDS = MAX_CONNECTION_AGE_SECONDS + 30


@dataclass(frozen=True)
class ApiContext:
    """The long-lived parts of the API."""

    settings: Settings
    metrics_registry: CollectorRegistry
    metrics: ApiMetrics
    database: Database
    redis: Redis
    tokens: CausalityTokens
    registry: TaskRegistry
    broker: Broker
    publisher: Publisher
    recorder: RequestRecorder
    tasks: TaskService
    acceptor: Acceptor
    cluster: ClusterService
    operations: OperationsService
    tracing: Tracing
    draining: threading.Event = field(default_factory=threading.Event)

    @classmethod
    def build(cls, settings: Settings) -> Self:
        """Wire the parts; nothing connects or starts yet."""
        if settings.secret_key is None:
            raise SystemExit("SECRET_KEY is not set: give every API replica the same 16 or more characters")
        metrics_registry = CollectorRegistry()
        ProcessCollector(registry=metrics_registry)
        metrics = ApiMetrics(metrics_registry)
        tracing = create_tracing(settings, "api")
        database = Database(settings, DatabaseMetrics(metrics_registry), IDLE_SECONDS, tracing)
        metrics_registry.register(database.pool_metrics)
        registry = TaskRegistry.load(settings.all_task_modules)
        metrics.show_from_the_start(task.name for task in registry)
        publish_metrics = PublishMetrics(metrics_registry, registry.queues(settings.task_queue))
        broker = Broker(settings, publish_metrics, tracing)
        publisher = Publisher(broker, database)
        redis = connect_redis(settings, REDIS_TIMEOUT_SECONDS)
        cluster = ClusterService(database, redis, settings, registry)
        tasks = TaskService(registry, settings, publisher.enqueue, metrics.count_accepted, tracing)
        return cls(
            settings=settings,
            metrics_registry=metrics_registry,
            metrics=metrics,
            database=database,
            redis=redis,
            tokens=CausalityTokens(settings.secret_key.get_secret_value()),
            registry=registry,
            broker=broker,
            publisher=publisher,
            recorder=RequestRecorder(database, metrics, settings.request_log_capacity),
            tasks=tasks,
            acceptor=Acceptor(GroupCommit(database, tasks).write),
            cluster=cluster,
            operations=OperationsService(cluster, database, redis, settings),
            tracing=tracing,
        )

    def start(self) -> None:
        """Start the background threads."""
        self.tracing.start()
        self.publisher.start()
        self.recorder.start()

    def stop(self) -> None:
        """Finish what is in memory, then close every connection."""
        self.acceptor.close()
        self.publisher.stop(STOP_TIMEOUT_SECONDS)
        self.recorder.stop(STOP_TIMEOUT_SECONDS)
        self.operations.close()
        self.cluster.close()
        self.broker.close()
        self.redis.close()
        self.database.dispose()
        self.tracing.stop()
