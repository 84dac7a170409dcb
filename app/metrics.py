"""Prometheus metrics of the API process and of the parts it shares with worker and relay."""

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

PUBLISH_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5)
LATENCY_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class DatabaseMetrics:
    """How sessions were routed."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.reads_on_primary = Counter(
            "database_reads_on_primary_total",
            "Read sessions that fell back to the primary, as no replica was good enough",
            registry=registry,
        )
        self.replica_failures = Counter(
            "database_replica_failures_total",
            "Replica connections passed over as unavailable",
            registry=registry,
        )
        self.read_your_writes_wait = Histogram(
            "database_read_your_writes_wait_seconds",
            "Wait of readers for a replica to reach their last write",
            buckets=(0.001, 0.005, 0.01, 0.05, 0.1, 0.25, 0.5),
            registry=registry,
        )
        self.read_your_writes_timeouts = Counter(
            "database_read_your_writes_timeouts_total",
            "Replicas passed over because they did not reach a reader's last write in time",
            registry=registry,
        )


class PublishMetrics:
    """How messages reached Redis."""

    def __init__(self, registry: CollectorRegistry, queues: Iterable[str] = ()) -> None:
        self.published = Counter(
            "tasks_published_total", "Messages put into a queue", ["queue"], registry=registry
        )
        self.failures = Counter(
            "task_publish_failures_total", "Messages that the relay has to publish later", registry=registry
        )
        self.seconds = Histogram(
            "task_publish_seconds",
            "Time to put one batch of messages into their queues, in vain or not",
            buckets=PUBLISH_BUCKETS,
            registry=registry,
        )
        for queue in queues:
            self.published.labels(queue)  # at 0, see ApiMetrics


class ApiMetrics:
    """Rate, errors and duration by route template, and the log of requests."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.requests = Counter(
            "http_requests_total", "Answered requests", ["method", "route", "status"], registry=registry
        )
        self.duration = Histogram(
            "http_request_duration_seconds",
            "Time to answer",
            ["method", "route"],
            buckets=LATENCY_BUCKETS,
            registry=registry,
        )
        self.in_flight = Gauge("http_requests_in_flight", "Requests being answered", registry=registry)
        self.accepted = Counter(
            "tasks_accepted_total",
            "Tasks promised with 202, each once however often it was asked for",
            ["task"],
            registry=registry,
        )
        self.request_log_written = Counter(
            "request_log_rows_total", "Rows written to the table of requests", registry=registry
        )
        self.request_log_dropped = Counter(
            "request_log_dropped_total",
            "Rows lost because the database was too slow or away",
            registry=registry,
        )

    def show_from_the_start(self, tasks: Iterable[str]) -> None:
        """Have the counters of tasks at 0: Prometheus sees no increase in a series that begins with 1."""
        for task in tasks:
            self.accepted.labels(task)

    def count_accepted(self, task: str) -> None:
        """Count a task whose acceptance is committed."""
        self.accepted.labels(task).inc()
