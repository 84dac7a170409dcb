"""The leases of running attempts, kept by one thread of the worker's parent."""

import queue
import threading
import time
from collections.abc import Callable, Collection
from typing import NamedTuple

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.attempts.lifecycle import may_retry
from app.attempts.repository import AttemptRepository
from app.database.routing import Database
from app.database.sessions import WriteSession
from worker.delivery.repository import HeldAttemptRepository
from worker.failures import describe
from worker.metrics import ParentMetrics

log = structlog.get_logger(__name__)

RENEWALS_PER_LEASE = 4
# Short, because an order to drain comes from a signal handler, which must not wake the thread itself.
TICK_SECONDS = 0.25
STOP_TIMEOUT_SECONDS = 15


class LostProcess(NamedTuple):
    """A task whose process is gone, and why."""

    task_id: str
    reason: str


class AttemptLeases:
    """Renews while tasks run, records what became of lost processes, and gives back the rest at the end.

    Not in Celery's event loop: a slow database must not keep messages from being acknowledged.
    """

    def __init__(
        self,
        database: Database,
        owner: str,
        lease_seconds: float,
        running: Callable[[], Collection[str]],
        metrics: ParentMetrics,
    ) -> None:
        self._database = database
        self._owner = owner
        self._lease_seconds = lease_seconds
        self._running = running
        self._metrics = metrics
        self._reports: queue.SimpleQueue[LostProcess] = queue.SimpleQueue()
        self._lost: list[LostProcess] = []
        self._draining = threading.Event()
        self._idle = threading.Event()
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._keep, name="attempt-leases", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def report_lost(self, task_id: str, reason: str) -> None:
        """Have it recorded that the process which ran the task is gone. Never blocks."""
        self._reports.put(LostProcess(task_id, reason))

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
        if released:
            log.info("unfinished tasks returned to the queue", tasks=released)

    def _keep(self) -> None:
        due = time.monotonic()
        while not self._stopping.wait(TICK_SECONDS):
            while not self._reports.empty():
                self._lost.append(self._reports.get())
                self._metrics.processes_lost += 1
            if self._lost or self._draining.is_set() or time.monotonic() >= due:
                self.renew()
                due = time.monotonic() + self._lease_seconds / RENEWALS_PER_LEASE

    def renew(self) -> None:
        """Do everything that is due, in one transaction; what fails is tried again at the next tick."""
        task_ids = self._running()
        try:
            with self._database.write() as session:
                for lost in self._lost:
                    self._record(session, lost)
                held = (
                    AttemptRepository(session).renew(self._owner, task_ids, self._lease_seconds)
                    if task_ids
                    else 0
                )
                session.commit()
        except SQLAlchemyError as error:
            log.warning("leases not renewed", tasks=len(task_ids), error=describe(error))
            self._metrics.lease_renewal_failures += 1
            return
        self._lost.clear()
        self._metrics.lease_renewals += 1
        if self._draining.is_set() and not held:
            self._idle.set()

    def _record(self, session: WriteSession, lost: LostProcess) -> None:
        attempt = HeldAttemptRepository(session).find(lost.task_id, self._owner)
        if attempt is None:
            return
        again = may_retry(attempt.number, attempt.max_attempts)
        log.warning("process of a task was lost", task_id=lost.task_id, error=lost.reason, retry=again)
        attempts = AttemptRepository(session)
        (attempts.retry_later if again else attempts.fail)(attempt, lost.reason)
