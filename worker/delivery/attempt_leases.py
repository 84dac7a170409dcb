"""The leases of running attempts, kept by one thread of the worker's parent."""

import queue
import threading
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.attempts.lifecycle import may_retry
from app.attempts.repository import Attempt, AttemptRepository
from app.database.routing import Database
from app.database.sessions import WriteSession
from worker.failures import describe
from worker.fork_guard import ForkGuard
from worker.metrics import Kind, ParentMetrics, TaskMetrics
from worker.outcome import Outcome

log = structlog.get_logger(__name__)

RENEWALS_PER_LEASE = 4
# Short, because an order to drain comes from a signal handler, which must not wake the thread itself.
TICK_SECONDS = 0.25
RETRY_SECONDS = 1.0
STOP_TIMEOUT_SECONDS = 15


class LostProcess(NamedTuple):
    """A task whose process is gone, why, and since when by the clock of this process."""

    task_id: str
    reason: str
    at: float


class RecordedEnd(NamedTuple):
    """The end of an attempt that its own process could not record."""

    attempt: Attempt
    outcome: Outcome


class AttemptLeases:
    """Renews while tasks run, records what became of lost processes, and gives back the rest at the end.

    Not in Celery's event loop: a slow database must not keep messages from being acknowledged.
    """

    def __init__(
        self,
        database: Database,
        owner: str,
        lease_seconds: float,
        leased: Callable[[], Collection[str]],
        metrics: ParentMetrics,
        *,
        batched: Callable[[], Collection[str]] = tuple,
        tasks: TaskMetrics,
        guard: ForkGuard,
    ) -> None:
        self._database = database
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._leased = leased
        self._batched = batched
        self._metrics = metrics
        self._tasks = tasks
        self._guard = guard
        self._reports: queue.SimpleQueue[LostProcess] = queue.SimpleQueue()
        self._lost: list[LostProcess] = []
        self._healthy = True
        self._draining = threading.Event()
        self._idle = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="attempt-leases", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def report_lost(self, task_id: str, reason: str, *, held_attempt: bool = True) -> None:
        """Count that the process which ran the task is gone, and have its attempt end. Never blocks."""
        self._metrics.processes_lost += 1
        if held_attempt:
            self._reports.put(LostProcess(task_id, reason, time.monotonic()))

    def wait_until_idle(self, timeout_seconds: float) -> bool:
        """Wait until no attempt of this worker runs any more; False if the time is up."""
        self._draining.set()
        return self._idle.wait(timeout_seconds)

    def stop(self) -> None:
        """End the thread and give unfinished tasks back to the queue, their attempt not counted."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(STOP_TIMEOUT_SECONDS)
        try:
            with self._database.write() as session:
                released = AttemptRepository(session).release(self._owner)
                session.commit()
        except SQLAlchemyError as error:
            log.warning("unfinished tasks wait for their leases to run out", error=describe(error))
            return
        for task_id in released:
            log.info("attempt given back", task_id=task_id)

    def _keep(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            reported = self._take_reports()
            if reported or self._draining.is_set() or time.monotonic() >= due:
                with self._guard:
                    self.renew()
                interval = self._lease_seconds / RENEWALS_PER_LEASE
                due = time.monotonic() + (interval if self._healthy else min(interval, RETRY_SECONDS))

    def _take_reports(self) -> bool:
        before = len(self._lost)
        while not self._reports.empty():
            self._lost.append(self._reports.get())
        return len(self._lost) > before

    def renew(self) -> None:
        """Write everything that is due, in one transaction; what fails is tried again."""
        leased, batched = self._leased(), self._batched()
        held = self._write(leased, batched) if leased or batched or self._lost else 0
        if self._draining.is_set() and held == 0:
            self._idle.set()

    def _write(self, leased: Collection[str], batched: Collection[str]) -> int | None:
        """Return how many tasks are still being run."""
        try:
            with self._database.write() as session:
                ends = [end for lost in self._lost if (end := self._record(session, lost))]
                attempts = AttemptRepository(session)
                held = attempts.renew(self._owner, leased, self._lease_seconds)
                held += attempts.count_waiting(batched) if self._draining.is_set() else 0
                session.commit()
        except SQLAlchemyError as error:
            if self._healthy:
                log.warning("leases not renewed, going on trying", error=describe(error))
            self._healthy = False
            self._metrics.lease_renewal_failures += 1
            return None
        if not self._healthy:
            log.info("leases renewed again")
        self._healthy = True
        self._lost.clear()
        self._metrics.lease_renewals += 1
        for end in ends:
            self._count(end)
        return held

    def _record(self, session: WriteSession, lost: LostProcess) -> RecordedEnd | None:
        attempts = AttemptRepository(session)
        attempt = attempts.find_held(lost.task_id, self._owner, time.monotonic() - lost.at)
        if attempt is None:
            return None
        again = may_retry(attempt.number, attempt.max_attempts)
        ids = {"task_id": lost.task_id, "request_id": attempt.request_id}
        log.warning("process of a task was lost", error=lost.reason, retry=again, **ids)
        recorded = (attempts.retry_later if again else attempts.fail)(attempt, lost.reason)
        return RecordedEnd(attempt, Outcome.RETRYING if again else Outcome.FAILED) if recorded else None

    def _count(self, end: RecordedEnd) -> None:
        kind = Kind(end.attempt.name, end.attempt.queue)
        self._tasks.counted(kind, end.outcome)
        if end.outcome is Outcome.RETRYING:
            self._tasks.retried(kind)
        else:
            self._tasks.final(kind, end.attempt.number)
