"""What the processes that run tasks measure, and what their parent counts."""

from collections.abc import Callable, Iterator

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

log = structlog.get_logger(__name__)

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)


class TaskMetrics:
    """Attempts, as the processes that run them see them.

    A metric never decides over a task: when its file cannot be written, the task goes on.
    """

    def __init__(self, registry: CollectorRegistry) -> None:
        self._complained = False
        self._queue_wait = Histogram(
            "task_queue_wait_seconds",
            "From due to start, for the SLO of the queue",
            ["task", "queue"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._duration = Histogram(
            "task_duration_seconds",
            "From start to end of an attempt",
            ["task", "outcome"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._tasks = Counter(
            "tasks_total", "Attempts by how they ended", ["task", "outcome"], registry=registry
        )
        self._skips = Counter(
            "task_skips_total",
            "Messages acknowledged without running the task",
            ["reason"],
            registry=registry,
        )
        self._retries = Counter(
            "task_retries_total", "Attempts to be followed by another", ["task"], registry=registry
        )
        self._reruns = Counter(
            "task_transaction_reruns_total",
            "Transactions run again because the database had rolled them back or was away",
            registry=registry,
        )

    def started(self, task: str, queue: str, wait_seconds: float) -> None:
        """Note the start of an attempt."""
        self._write(lambda: self._queue_wait.labels(task, queue).observe(wait_seconds))

    def ended(self, task: str, outcome: str, seconds: float) -> None:
        """Note the end of an attempt."""
        self._write(lambda: self._duration.labels(task, outcome).observe(seconds))
        self.counted(task, outcome)

    def counted(self, task: str, outcome: str) -> None:
        """Note what became of a message whose task was not run."""
        self._write(lambda: self._tasks.labels(task, outcome).inc())

    def skipped(self, reason: str) -> None:
        """Note a message that must not be run."""
        self._write(lambda: self._skips.labels(reason).inc())

    def retried(self, task: str) -> None:
        """Note an attempt that is followed by another."""
        self._write(lambda: self._retries.labels(task).inc())

    def reran(self) -> None:
        """Note a transaction that is run again."""
        self._write(self._reruns.inc)

    def _write(self, change: Callable[[], None]) -> None:
        try:
            change()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library meets, the task is worth more
            if not self._complained:
                log.warning("metrics are not written", error=f"{type(error).__name__}: {error}")
            self._complained = True


class ParentMetrics(Collector):
    """Counts of the worker's parent: plain numbers, as a lock held at a fork never opens in the child."""

    def __init__(self, count_running: Callable[[], int]) -> None:
        self._count_running = count_running
        self.lease_renewals = 0
        self.lease_renewal_failures = 0
        self.visibility_renewal_failures = 0
        self.processes_lost = 0

    def collect(self) -> Iterator[Metric]:
        """Return the numbers as metrics."""
        counters = {
            "worker_lease_renewals": ("Renewals of the leases of running tasks", self.lease_renewals),
            "worker_lease_renewal_failures": (
                "Renewals that the primary did not take; at a lease's length of them tasks run twice",
                self.lease_renewal_failures,
            ),
            "worker_visibility_renewal_failures": (
                "Renewals of unacknowledged messages that Redis did not take",
                self.visibility_renewal_failures,
            ),
            "worker_processes_lost": (
                "Processes that died or were killed at the hard limit while running a task",
                self.processes_lost,
            ),
        }
        for name, (text, value) in counters.items():
            yield CounterMetricFamily(name, text, value=value)
        yield GaugeMetricFamily("worker_tasks_running", "Tasks being run", value=self._count_running())
