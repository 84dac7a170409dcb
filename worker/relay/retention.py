"""Removes what has become old, in a thread of its own, so that publishing does not wait for it."""

import threading
import time
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database.routing import Database
from app.retention.repository import ENDED_TASKS, LOGGED_REQUESTS, AgeRepository, Batch, Expiring
from app.settings import Settings
from worker.failures import describe
from worker.relay.retention_metrics import RetentionMetrics

log = structlog.get_logger(__name__)

SWEEP_SECONDS = 60.0
# A small transaction holds up neither those who commit beside it nor the members that repeat it.
BATCH_SIZE = 500
# With a pause that is no shorter than the batch before it, what has gathered for years takes no more than
# half of one connection's time.
SHORTEST_PAUSE_SECONDS = 0.1
MOST_BATCHES = 2000
STOP_TIMEOUT_SECONDS = 5

Rule = tuple[timedelta, Expiring]


def rules_of(settings: Settings) -> list[Rule]:
    """Return at which age what is removed; 0 days keep for ever."""
    days: list[tuple[int, Expiring]] = [(settings.task_retention_days, kind) for kind in ENDED_TASKS]
    days += [(settings.request_log_retention_days, kind) for kind in LOGGED_REQUESTS]
    return [(timedelta(days=limit), kind) for limit, kind in days if limit]


class Retention:
    """Sweeps at an interval; what an outage leaves undone, a later sweep does."""

    def __init__(
        self,
        database: Database,
        metrics: RetentionMetrics,
        rules: Sequence[Rule],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._database = database
        self._metrics = metrics
        self._rules = rules
        self._clock = clock
        self._reachable = True
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="retention", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread after the batch that it is at."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)

    def sweep(self) -> None:
        """Remove all that is old now, and look how old the rest is."""
        try:
            with self._database.write() as session:
                now = AgeRepository(session).now()
            for age, kind in self._rules:
                self._remove(kind, now - age)
            with self._database.write() as session:
                self._metrics.show_oldest(AgeRepository(session).oldest(), now)
        except SQLAlchemyError as error:
            if self._reachable:
                log.warning("retention held up, going on trying", error=describe(error))
            self._reachable = False
        else:
            self._reachable = True

    def _run(self) -> None:
        while not self._stopping.is_set():
            self.sweep()
            self._stopping.wait(SWEEP_SECONDS)

    def _remove(self, kind: Expiring, before: datetime) -> None:
        removed, after = 0, None
        for _ in range(MOST_BATCHES):
            started = self._clock()
            batch = self._remove_batch(kind, before, after)
            removed, after = removed + batch.removed, batch.last
            pause = max(self._clock() - started, SHORTEST_PAUSE_SECONDS)
            if batch.found < BATCH_SIZE or self._stopping.wait(pause):
                break
        if removed:
            log.info("old rows removed", table=kind.table, rows=removed, before=before.isoformat())

    def _remove_batch(self, kind: Expiring, before: datetime, after: Any) -> Batch:  # noqa: ANN401 - what `Batch.last` is
        with self._database.write() as session:
            batch = kind.remove(session, before, after, BATCH_SIZE)
            session.commit()
        self._metrics.removed.labels(kind.table).inc(batch.removed)
        return batch
