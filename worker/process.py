"""One worker: its parent with threads for leases, presence and metrics, and the pool that runs tasks."""

import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from celery import signals
from celery.exceptions import TimeLimitExceeded, WorkerLostError
from prometheus_client import CollectorRegistry, ProcessCollector

from app.correlation import REQUEST_ID, harmless
from app.database.routing import Database
from app.garbage import pass_over_what_is_loaded
from app.metrics import DatabaseMetrics
from app.monitoring import MonitoringServer
from app.redis_client import connect_redis
from app.settings import Settings
from app.tasks.registry import TaskRegistry
from app.tracing.tracing import create_tracing
from worker.celery_app import LedgerTask, consumed_queues, create_celery
from worker.delivery.attempt_leases import AttemptLeases
from worker.delivery.lease import visibility_lease
from worker.delivery.transport import use_safe_transport
from worker.fork_guard import ForkGuard
from worker.health import heartbeat_step
from worker.metrics import Kind, ParentMetrics, TaskMetrics
from worker.pool_process import PoolProcess
from worker.presence import Presence
from worker.running import batched_task_ids, describe_running, leased_task_ids, running_task_names
from worker.shutdown import GracefulWorker, say_in_json
from worker.time_limits import longest_silence

log = structlog.get_logger(__name__)

PRESENCE_TIMEOUT_SECONDS = 0.5


class WorkerProcess:
    """Wires the parts; `run` returns when the worker has ended."""

    def __init__(self, settings: Settings, registry: CollectorRegistry) -> None:
        self._settings = settings
        self._tasks = TaskRegistry.load(settings.all_task_modules)
        self._queues = consumed_queues(settings, self._tasks)
        # The name alone is not enough: a successor of the same name must not renew its predecessor's leases.
        self._owner = f"{settings.replica_name}:{secrets.token_hex(8)}"
        queues = {task.name: task.queue or settings.task_queue for task in self._tasks}
        kinds = [Kind(name, queue) for name, queue in queues.items() if queue in self._queues]
        self.shared_registry = CollectorRegistry()
        is_on = settings.worker_metrics_port != 0
        self._task_metrics = TaskMetrics(self.shared_registry, kinds, is_on=is_on)
        self._database_metrics = DatabaseMetrics(self.shared_registry)
        self._metrics = ParentMetrics(running_task_names, kinds)
        registry.register(self._metrics)
        ProcessCollector(registry=registry)
        limits = (task.time_limit_seconds or settings.task_time_limit_seconds for task in self._tasks)
        tracing = create_tracing(settings, "worker")
        self._database = Database(settings, self._database_metrics, longest_silence(limits), tracing)
        registry.register(self._database.pool_metrics)
        self._redis = connect_redis(settings, PRESENCE_TIMEOUT_SECONDS)
        self._guard = ForkGuard()
        self._leases = AttemptLeases(
            self._database,
            self._owner,
            settings.task_lease_seconds,
            leased_task_ids,
            self._metrics,
            batched=batched_task_ids,
            tasks=self._task_metrics,
            guard=self._guard,
        )
        self._presence = Presence(self._redis, settings.replica_name, self._describe, guard=self._guard)
        address = (settings.metrics_host, settings.worker_metrics_port)
        self._monitoring = MonitoringServer(address, registry, {}, self._guard) if address[1] else None
        self._ready_file = Path(settings.worker_ready_file) if settings.worker_ready_file else None
        self._pool = PoolProcess(settings, self._database, self._task_metrics, tracing, self._owner)
        self._celery = create_celery(settings, self._tasks, self._pool.handle, self._pool.handle_batch)
        use_safe_transport(self._celery)

    def run(self) -> int:
        """Run until told to end; returns the exit code."""
        self._guard.install()
        self._add_steps()
        self._connect_signals()
        say_in_json(self._settings.replica_name)
        worker = GracefulWorker(
            self._leases.wait_until_idle,
            app=self._celery,
            hostname=f"celery@{self._settings.replica_name}",
            queues=self._queues,
            loglevel=self._settings.log_level,
            quiet=True,
            optimization="fair",
            without_gossip=True,
            without_mingle=True,
        )
        if self._monitoring:
            self._monitoring.start()
        pass_over_what_is_loaded()
        try:
            worker.start()
        finally:
            self._close()
        return int(worker.exitcode or 0)

    def _add_steps(self) -> None:
        def count_failure() -> None:
            self._metrics.visibility_renewal_failures += 1

        self._celery.steps["consumer"].add(visibility_lease(count_failure))
        if self._settings.worker_heartbeat_file:
            self._celery.steps["worker"].add(heartbeat_step(Path(self._settings.worker_heartbeat_file)))

    def _connect_signals(self) -> None:
        # A receiver of this one keeps Celery from setting up logs of its own.
        signals.setup_logging.connect(_leave_logging, weak=False)
        signals.worker_ready.connect(self._on_ready, weak=False)
        signals.worker_shutting_down.connect(self._on_shutting_down, weak=False)
        signals.task_received.connect(_on_received, weak=False)
        signals.task_failure.connect(self._on_failure, weak=False)
        signals.task_prerun.connect(self._on_task_start, weak=False)
        signals.worker_process_init.connect(self._on_process_start, weak=False)
        signals.worker_process_shutdown.connect(self._on_process_end, weak=False)

    def _on_ready(self, **_: object) -> None:
        self._leases.start()
        self._presence.start()
        if self._ready_file:
            self._ready_file.touch()
        log.info("worker ready", queues=self._queues, tasks=sorted(task.name for task in self._tasks))

    def _on_shutting_down(self, **_: object) -> None:
        if self._ready_file:
            self._ready_file.unlink(missing_ok=True)

    def _on_failure(
        self, task_id: str, exception: BaseException, kwargs: Mapping[str, object], **_: object
    ) -> None:
        reason = loss_of_process(exception)
        if reason:
            # Tasks of a batch held none, and run again at once: the attempt to be found would be the next.
            self._leases.report_lost(task_id, reason, held_attempt="batch" not in kwargs)

    def _on_task_start(self, task: LedgerTask, **_: object) -> None:
        if queue := task.redelivered_from:
            self._task_metrics.redelivered(queue)

    def _on_process_start(self, **_: object) -> None:
        if self._monitoring:
            self._monitoring.close_in_child()
        pass_over_what_is_loaded()
        self._pool.start()

    def _on_process_end(self, **_: object) -> None:
        self._pool.stop()

    def _describe(self) -> dict[str, Any]:
        running = describe_running()
        return {
            "pid": os.getpid(),
            "concurrency": self._settings.worker_concurrency,
            "queues": self._queues,
            "running": running,
        }

    def _close(self) -> None:
        self._on_shutting_down()
        self._presence.stop()
        self._leases.stop()
        if self._monitoring:
            self._monitoring.stop()
        self._redis.close()
        self._celery.close()
        self._database.dispose()


def loss_of_process(error: BaseException) -> str | None:
    """Return why a task's process is gone; None if the task failed by itself."""
    if isinstance(error, TimeLimitExceeded):
        return f"TimeLimitExceeded: killed after {error.args[0]:g} s, as it did not end when interrupted"
    if isinstance(error, WorkerLostError):
        return f"WorkerLostError: {str(error).partition(' Job:')[0]}"
    return None


def _on_received(request: Any, **_: object) -> None:  # noqa: ANN401 - Celery's request is untyped
    """Log a message in the parent, before a process of the pool is free for it."""
    log.info(
        "message received",
        task_id=str(request.id),
        task=request.name,
        queue=(request.delivery_info or {}).get("routing_key"),
        request_id=harmless(request.request_dict.get(REQUEST_ID)),
    )


def _leave_logging(**_: object) -> None:
    """Take Celery's signal to set up logging, and do nothing: it is set up already."""
