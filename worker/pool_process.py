"""What executes tasks in a process of the pool: begun after the fork, which connections do not outlive."""

from collections.abc import Collection, Sequence

from app.database.routing import Database
from app.redis_client import connect_redis
from app.settings import Settings
from app.tasks.registry import TaskDefinition
from app.tracing.tracing import Tracing
from worker.batches.execution import BatchExecution
from worker.execution import Execution
from worker.message import Delivery
from worker.metrics import TaskMetrics
from worker.outcome import Outcome

REDIS_TIMEOUT_SECONDS = 2.0


class PoolProcess:
    """Made in the parent, started in each child."""

    def __init__(
        self, settings: Settings, database: Database, metrics: TaskMetrics, tracing: Tracing, owner: str
    ) -> None:
        self._settings = settings
        self._database = database
        self._metrics = metrics
        self._tracing = tracing
        self._owner = owner
        self._execution: Execution | None = None
        self._batches: BatchExecution | None = None

    def start(self) -> None:
        """Be ready for tasks."""
        self._database.forget_parent_connections()
        # the parent has nothing to export, and a thread of its own would not outlive the fork
        self._tracing.start()
        redis = connect_redis(self._settings, REDIS_TIMEOUT_SECONDS)
        common = (self._database, redis, self._metrics)
        worker = self._settings.replica_name
        self._batches = BatchExecution(*common, worker=worker, tracing=self._tracing)
        self._execution = Execution(
            *common,
            owner=self._owner,
            worker=worker,
            lease_seconds=self._settings.task_lease_seconds,
            tracing=self._tracing,
        )

    def stop(self) -> None:
        """Close the connections and send the last spans."""
        self._database.dispose()
        self._tracing.stop()

    def handle(self, definition: TaskDefinition, delivery: Delivery) -> Outcome:
        """Execute one task."""
        if self._execution is None:
            raise RuntimeError("tasks run in the pool's processes only")
        return self._execution.handle(definition, delivery)

    def handle_batch(self, definition: TaskDefinition, batch: Sequence[Delivery]) -> Collection[str]:
        """Execute tasks of one kind together; returns the ids of those that have to be run alone."""
        if self._batches is None:
            raise RuntimeError("tasks run in the pool's processes only")
        return self._batches.handle(definition, batch)
