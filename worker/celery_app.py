"""The Celery application: Redis carries messages of id and name, the ledger has all else."""

from collections.abc import Callable, Collection, Sequence
from typing import Any

import structlog
from celery import Celery, Task
from celery.exceptions import Reject
from kombu import Queue

from app.correlation import REQUEST_ID, harmless
from app.settings import Settings
from app.tasks.broker import transport_options
from app.tasks.registry import TaskDefinition, TaskRegistry
from app.tracing.tracing import TRACEPARENT
from worker.batches.request import mask
from worker.batches.strategy import BatchStrategy
from worker.message import Delivery
from worker.outcome import Outcome
from worker.time_limits import time_limits

log = structlog.get_logger(__name__)

SOCKET_TIMEOUT_SECONDS = 5


Handler = Callable[[TaskDefinition, Delivery], Outcome]
# It returns the ids of the tasks that have to be run alone.
BatchHandler = Callable[[TaskDefinition, Sequence[Delivery]], Collection[str]]


class LedgerTask(Task):  # type: ignore[type-arg] # generic in the stubs alone
    """Hands the message over to the ledger's rules; never retries and never stores a result by itself."""

    ignore_result = True
    acks_late = True

    def __init__(self, definition: TaskDefinition, settings: Settings, handle: Handler) -> None:
        self.name = definition.name
        limits = time_limits(definition.time_limit_seconds or settings.task_time_limit_seconds)
        self.soft_time_limit, self.time_limit = limits.soft, limits.hard  # type: ignore[assignment] # int in the stubs
        self._definition = definition
        self.queue_name = definition.queue or settings.task_queue
        self._handle = handle

    @property
    def redelivered_from(self) -> str | None:
        """The queue, if Redis has handed out the message before."""
        return self.queue_name if (self.request.delivery_info or {}).get("redelivered") else None

    def run(self) -> None:
        """Run in a process of the pool."""
        # every header of a message is an attribute of the request
        request_id = harmless(getattr(self.request, REQUEST_ID, None))
        traceparent = getattr(self.request, TRACEPARENT, None)
        delivery = Delivery(
            str(self.request.id),
            self.queue_name,
            request_id,
            traceparent if isinstance(traceparent, str) else None,
        )
        try:
            outcome = self._handle(self._definition, delivery)
        except Exception:
            log.exception("message not handled", task=self.name, **delivery.ids)
            raise
        if outcome is Outcome.REQUEUED:
            raise Reject(requeue=True)


class BatchTask(LedgerTask):
    """Takes the messages of several tasks at once, or one message like any other task."""

    Strategy = BatchStrategy  # type: ignore[assignment] # a name in the stubs

    def __init__(
        self, definition: TaskDefinition, settings: Settings, handle: Handler, handle_batch: BatchHandler
    ) -> None:
        super().__init__(definition, settings, handle)
        self.batch_size = definition.batch_size or 1
        self._handle_batch = handle_batch

    def run(self, batch: Sequence[Delivery] = ()) -> int | None:  # type: ignore[override]
        """Run in a process of the pool; returns the places in the batch of what has to be run alone."""
        if not batch:
            return super().run()
        alone = self._handle_batch(self._definition, batch)
        places = {delivery.task_id: place for place, delivery in enumerate(batch)}
        return mask(places[task_id] for task_id in alone)


def consumed_queues(settings: Settings, registry: TaskRegistry) -> list[str]:
    """Return the queues that this worker takes from.

    Raises:
        SystemExit: WORKER_QUEUES names a queue that no task uses.
    """
    known = registry.queues(settings.task_queue)
    if unknown := sorted(set(settings.worker_queues) - set(known)):
        raise SystemExit(
            f"WORKER_QUEUES names {', '.join(unknown)}, which no task uses: there are {', '.join(known)}, "
            "and those of the modules that TASK_MODULES would add"
        )
    return sorted(settings.worker_queues) or known


def create_celery(
    settings: Settings,
    registry: TaskRegistry,
    handle: Handler,
    handle_batch: BatchHandler | None = None,
) -> Celery:
    """Return an application that knows every queue some task uses; only `handle_batch` makes batches."""
    celery = Celery("conveyor", set_as_current=False)
    celery.conf.update(_configuration(settings, registry.queues(settings.task_queue)))
    sizes = {task.name: task.batch_size for task in registry if task.batch_size and handle_batch}
    celery.conf.broker_transport_options["batch_sizes"] = sizes
    for definition in registry:
        celery.register_task(
            BatchTask(definition, settings, handle, handle_batch)
            if definition.name in sizes and handle_batch
            else LedgerTask(definition, settings, handle)
        )
    return celery


def _configuration(settings: Settings, queues: list[str]) -> dict[str, Any]:
    limits = time_limits(settings.task_time_limit_seconds)
    return {
        "broker_url": settings.redis_url(settings.redis_db),
        "broker_transport_options": transport_options(settings, SOCKET_TIMEOUT_SECONDS),
        "broker_connection_timeout": 4,
        "broker_connection_retry": True,
        "broker_connection_retry_on_startup": True,
        "broker_connection_max_retries": None,
        "broker_pool_acquire_timeout": 2,
        "visibility_timeout": settings.visibility_timeout_seconds,
        # The ledger has the results; the backend is there for tools that expect one.
        "result_backend": settings.redis_url(settings.redis_db + 1),
        "result_expires": 3600,
        "redis_socket_timeout": SOCKET_TIMEOUT_SECONDS,
        "redis_socket_connect_timeout": 2,
        "task_ignore_result": True,
        "task_store_errors_even_if_ignored": False,
        "task_serializer": "json",
        "result_serializer": "json",
        "accept_content": ["json"],
        "enable_utc": True,
        "timezone": "UTC",
        "task_queues": [Queue(name, routing_key=name) for name in queues],
        "task_default_queue": settings.task_queue,
        "task_create_missing_queues": False,
        # The message is acknowledged whatever happened, for the ledger knows what is left to do:
        # a message that came back by itself would run a task that kills its process for ever.
        "task_acks_late": True,
        "task_acks_on_failure": True,
        "task_acks_on_timeout": True,
        "task_reject_on_worker_lost": False,
        "task_soft_time_limit": limits.soft,
        "task_time_limit": limits.hard,
        "worker_concurrency": settings.worker_concurrency,
        "worker_prefetch_multiplier": 1,
        # Each new process costs its parent what 250 tasks do; what a task leaks is bounded by the next line.
        "worker_max_tasks_per_child": 10_000,
        "worker_max_memory_per_child": 400_000,
        # A loaded machine may take long to start a process; killing it would only add load.
        "worker_proc_alive_timeout": 30,
        "worker_soft_shutdown_timeout": settings.worker_soft_shutdown_seconds,
        "worker_enable_soft_shutdown_on_idle": False,
        "worker_cancel_long_running_tasks_on_connection_loss": False,
        # Events cost almost half of the throughput; the worker has metrics of its own.
        "worker_send_task_events": False,
        "task_send_sent_event": False,
        "worker_hijack_root_logger": False,
        "worker_redirect_stdouts": False,
    }
