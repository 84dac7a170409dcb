"""What the processes that run tasks measure, and what their parent counts."""

from collections import Counter as Tally
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from app.attempts.lifecycle import SkipReason
from worker.outcome import Outcome

log = structlog.get_logger(__name__)

Measured = TypeVar("Measured", Counter, Histogram)

SECONDS_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120, 300, 600, 1800)
ATTEMPTS_BUCKETS = (1, 2, 3, 4, 5, 7, 10)


class Kind(NamedTuple):
    """A registered task and its queue: labels of which there are never more than tasks."""

    task: str
    queue: str


class TaskMetrics:
    """Attempts, as the processes that run them see them.

    A metric never decides over a task: when its file cannot be written, the task goes on.
    """

    def __init__(
        self, registry: CollectorRegistry, kinds: Iterable[Kind] = (), *, is_on: bool = True
    ) -> None:
        self._is_on = is_on
        self._complained = False
        self._known: dict[tuple[object, ...], Any] = {}
        self._queue_wait = Histogram(
            "task_queue_wait_seconds",
            "From due to start, for the SLO of the queue",
            Kind._fields,
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._duration = Histogram(
            "task_duration_seconds",
            "From start to end of an attempt",
            [*Kind._fields, "outcome"],
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._accepted_to_done = Histogram(
            "task_accepted_to_done_seconds",
            "From acceptance to success, with all retries and the time until a replay",
            Kind._fields,
            buckets=SECONDS_BUCKETS,
            registry=registry,
        )
        self._attempts = Histogram(
            "task_attempts",
            "Attempts that a task took until it succeeded or failed for good",
            Kind._fields,
            buckets=ATTEMPTS_BUCKETS,
            registry=registry,
        )
        self._tasks = Counter(
            "tasks_total", "Attempts by how they ended", [*Kind._fields, "outcome"], registry=registry
        )
        self._retries = Counter(
            "task_retries_total", "Attempts to be followed by another", Kind._fields, registry=registry
        )
        self._redeliveries = Counter(
            "task_redeliveries_total",
            "Messages that came again because whoever had them did not acknowledge them",
            ["queue"],
            registry=registry,
        )
        self._skips = Counter(
            "task_skips_total",
            "Messages acknowledged without running the task",
            ["reason"],
            registry=registry,
        )
        self._reruns = Counter(
            "task_transaction_reruns_total",
            "Transactions run again because the database had rolled them back or was away",
            registry=registry,
        )
        self._show_from_the_start(kinds)

    def started(self, kind: Kind, wait_seconds: float) -> None:
        """Note the start of an attempt."""
        self._write(lambda: self._series(self._queue_wait, *kind).observe(wait_seconds))

    def ended(self, kind: Kind, outcome: Outcome, seconds: float) -> None:
        """Note the end of an attempt."""
        self.lasted(kind, outcome, seconds)
        self.counted(kind, outcome)

    def lasted(self, kind: Kind, outcome: Outcome, seconds: float) -> None:
        """Note how long an attempt took that is counted together with others."""
        self._write(lambda: self._series(self._duration, *kind, outcome.value).observe(seconds))

    def counted(self, kind: Kind, outcome: Outcome, times: int = 1) -> None:
        """Note what became of a message, or of an attempt that nobody has seen the end of."""
        self._write(lambda: self._series(self._tasks, *kind, outcome.value).inc(times))

    def retried(self, kind: Kind) -> None:
        """Note an attempt that is followed by another."""
        self._write(lambda: self._series(self._retries, *kind).inc())

    def done(self, kind: Kind, seconds_since_acceptance: float) -> None:
        """Note how long a task took from the promise to its effect."""
        self._write(lambda: self._series(self._accepted_to_done, *kind).observe(seconds_since_acceptance))

    def final(self, kind: Kind, attempts: int) -> None:
        """Note how many attempts a task took that succeeded or failed for good."""
        self._write(lambda: self._series(self._attempts, *kind).observe(attempts))

    def redelivered(self, queue: str) -> None:
        """Note a message that Redis has handed out before."""
        self._write(lambda: self._redeliveries.labels(queue).inc())

    def skipped(self, reason: SkipReason) -> None:
        """Note a message that must not be run."""
        self._write(lambda: self._skips.labels(reason.value).inc())

    def reran(self) -> None:
        """Note a transaction that is run again."""
        self._write(self._reruns.inc)

    def _show_from_the_start(self, kinds: Iterable[Kind]) -> None:
        """Have every counter at 0: Prometheus sees no increase in a series that begins with 1."""
        for kind in kinds if self._is_on else ():
            self._retries.labels(*kind)
            self._redeliveries.labels(kind.queue)
            for outcome in Outcome:
                self._tasks.labels(*kind, outcome.value)
        for reason in SkipReason if self._is_on else ():
            self._skips.labels(reason.value)

    def _series(self, metric: Measured, *labels: str) -> Measured:
        """Return the series of a metric; to find it, the library takes as long as to write to it."""
        key = (metric, *labels)
        series: Measured | None = self._known.get(key)
        if series is None:
            series = self._known[key] = metric.labels(*labels)
        return series

    def _write(self, change: Callable[[], None]) -> None:
        if not self._is_on:
            return
        try:
            change()
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:  # noqa: BLE001 - whatever the library meets, the task is worth more
            if not self._complained:
                log.warning("metrics are not written", error=error)
            self._complained = True


class ParentMetrics(Collector):
    """Counts of the worker's parent: plain numbers, as a lock held at a fork never opens in the child."""

    def __init__(self, running: Callable[[], Iterable[str]], kinds: Iterable[Kind]) -> None:
        self._running = running
        self._kinds = tuple(kinds)
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
        running = GaugeMetricFamily("worker_tasks_running", "Tasks being run", labels=Kind._fields)
        tally = Tally(self._running())
        for kind in self._kinds:
            running.add_metric(kind, tally[kind.task])
        yield running
