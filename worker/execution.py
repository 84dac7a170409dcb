"""From a message to its outcome: claim, run and finish, each in one transaction on the primary."""

import random
import time
from collections.abc import Callable
from typing import TypeVar

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from pydantic import ValidationError
from redis import Redis
from sqlalchemy.exc import SQLAlchemyError

from app.attempts.lifecycle import GiveUp, Skip
from app.attempts.repository import Attempt, AttemptRepository
from app.correlation import TRACE_ID
from app.database.errors import is_transient, is_unavailable
from app.database.routing import Database
from app.requests.repository import RequestLogRepository
from app.tasks.context import TaskCancelledError, TaskContext
from app.tasks.registry import TaskDefinition
from app.tracing.tracing import Span, Tracing
from worker.commits import CommitUncertainError, commit
from worker.failures import InvalidPayloadError, describe, deserves_retry
from worker.message import Delivery
from worker.metrics import Kind, TaskMetrics
from worker.outcome import Outcome

log = structlog.get_logger(__name__)

Result = TypeVar("Result")

# Together a little longer than a failover of the primary takes.
PAUSES_SECONDS = (0.1, 0.3, 1.0, 2.0, 3.0, 3.0)
REQUEUE_PAUSE_SECONDS = 1.0
FAILED_OUTCOMES = frozenset(
    {Outcome.RETRYING, Outcome.FAILED, Outcome.LOST_LEASE, Outcome.UNCERTAIN, Outcome.UNRECORDED}
)


class Execution:
    """Runs attempts on behalf of one worker process."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        metrics: TaskMetrics,
        *,
        owner: str,
        worker: str,
        lease_seconds: float,
        tracing: Tracing | None = None,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._database = database
        self._redis = redis
        self._metrics = metrics
        self._owner = owner
        self._worker = worker
        self._lease_seconds = lease_seconds
        self._tracing = tracing or Tracing()
        self._pause = pause

    def handle(self, definition: TaskDefinition, delivery: Delivery) -> Outcome:
        """Handle one message for a task; the ledger decides whether it runs."""
        kind = Kind(definition.name, delivery.queue)
        with self._tracing.processing(*kind, delivery.task_id, delivery.traceparent) as span:
            ids = delivery.ids | ({TRACE_ID: span.trace_id} if span.trace_id else {})
            with structlog.contextvars.bound_contextvars(task=definition.name, **ids):
                outcome = self._handle(definition, kind, delivery.task_id, span)
            span.set(outcome=outcome.value)
            if outcome in FAILED_OUTCOMES:
                span.fail(outcome.value)
        return outcome

    def _handle(self, definition: TaskDefinition, kind: Kind, task_id: str, span: Span) -> Outcome:
        try:
            with self._tracing.span("claim"):
                claim = self._claim(task_id)
        except (SQLAlchemyError, SoftTimeLimitExceeded) as error:
            if isinstance(error, SQLAlchemyError) and not is_transient(error):
                raise
            return self._give_back(kind, error)
        match claim:
            case Skip():
                return self._skip(claim)
            case GiveUp():
                log.warning("task given up", error=claim.error)
                self._metrics.final(kind, claim.attempts)
                return self._count(kind, Outcome.FAILED)
            case Attempt():
                span.set(attempt=claim.number, queue_wait_seconds=claim.queue_wait_seconds)
                context = {"request_id": claim.request_id, "attempt": claim.number}
                with structlog.contextvars.bound_contextvars(**context):
                    return self._run(definition, kind, claim)

    def _give_back(self, kind: Kind, error: Exception) -> Outcome:
        log.warning("message goes back to the queue, the ledger cannot be asked", error=error)
        self._pause(REQUEUE_PAUSE_SECONDS)
        return self._count(kind, Outcome.REQUEUED)

    def _skip(self, skip: Skip) -> Outcome:
        log.info("message skipped", reason=skip.reason.value)
        self._metrics.skipped(skip.reason)
        return Outcome.SKIPPED

    def _claim(self, task_id: str) -> Attempt | Skip | GiveUp:
        unanswered: int | None = None

        def claim() -> Attempt | Skip | GiveUp:
            nonlocal unanswered
            with self._database.write() as session:
                claim = AttemptRepository(session).claim(
                    task_id, self._owner, self._worker, self._lease_seconds, unanswered
                )
                unanswered = claim.number if isinstance(claim, Attempt) else None
                session.commit()
                return claim

        return self._patiently(claim)

    def _run(self, definition: TaskDefinition, kind: Kind, attempt: Attempt) -> Outcome:
        started = time.perf_counter()
        self._metrics.started(kind, attempt.queue_wait_seconds)
        log.info("attempt started", queue=kind.queue, waited_seconds=round(attempt.queue_wait_seconds, 3))
        try:
            outcome = self._patiently(lambda: self._attempt(definition, attempt, started))
        except TaskCancelledError:
            outcome = Outcome.CANCELLED
        except CommitUncertainError as error:
            log.warning("commit without an answer, the ledger decides", error=error)
            outcome = Outcome.UNCERTAIN
        except Exception as error:  # noqa: BLE001 - whatever a task raises is a failed attempt
            outcome = self._fail(attempt, error)
        seconds = time.perf_counter() - started
        log.info("task ended", outcome=outcome.value, seconds=round(seconds, 3))
        self._metrics.ended(kind, outcome, seconds)
        if outcome is Outcome.RETRYING:
            self._metrics.retried(kind)
        if outcome is Outcome.SUCCEEDED:
            self._metrics.done(kind, attempt.age_seconds + seconds)
        if outcome in {Outcome.SUCCEEDED, Outcome.FAILED}:
            self._metrics.final(kind, attempt.number)
        return outcome

    def _attempt(self, definition: TaskDefinition, attempt: Attempt, started: float) -> Outcome:
        try:
            payload = definition.payload.model_validate(attempt.payload)
        except ValidationError as error:
            raise InvalidPayloadError(error) from error
        with self._database.write() as session:
            try:
                with self._tracing.span("run"):
                    result = definition.run(session, payload, self._context(attempt))
                if not AttemptRepository(session).succeed(attempt, result):
                    session.rollback()
                    return self._why_lost(attempt)
                RequestLogRepository(session).add_task_run(
                    attempt.task_id, definition.name, time.perf_counter() - started, attempt.request_id
                )
            except SoftTimeLimitExceeded:
                # Interrupted anywhere, the connection may hold half an answer; the next user would get it.
                session.invalidate()
                raise
            commit(session)
        return Outcome.SUCCEEDED

    def _fail(self, attempt: Attempt, error: Exception) -> Outcome:
        again = deserves_retry(error, attempt.number, attempt.max_attempts)
        log.warning("attempt failed", error=error, retry=again, exc_info=error)
        try:
            recorded = self._patiently(lambda: self._record_failure(attempt, describe(error), again=again))
        except SQLAlchemyError as problem:
            log.warning("failure not recorded, the lease will run out", error=problem)
            return Outcome.UNRECORDED
        if not recorded:
            return self._why_lost(attempt)
        return Outcome.RETRYING if again else Outcome.FAILED

    def _record_failure(self, attempt: Attempt, error: str, *, again: bool) -> bool:
        with self._database.write() as session:
            attempts = AttemptRepository(session)
            recorded = attempts.retry_later(attempt, error) if again else attempts.fail(attempt, error)
            session.commit()
            return recorded

    def _why_lost(self, attempt: Attempt) -> Outcome:
        return Outcome.CANCELLED if self._is_cancelled(attempt) else Outcome.LOST_LEASE

    def _is_cancelled(self, attempt: Attempt) -> bool:
        """Ask the primary; an unanswered question is no reason to throw work away, as the end is fenced."""
        try:
            with self._database.write() as session:
                return AttemptRepository(session).is_cancelled(attempt)
        except SQLAlchemyError as error:
            if not is_unavailable(error):
                raise
            return False

    def _context(self, attempt: Attempt) -> TaskContext:
        return TaskContext(
            task_id=attempt.task_id,
            attempt=attempt.number,
            worker=self._worker,
            redis=self._redis,
            is_cancelled=lambda: self._is_cancelled(attempt),
        )

    def _patiently(self, transaction: Callable[[], Result]) -> Result:
        for seconds in PAUSES_SECONDS:
            try:
                return transaction()
            except SQLAlchemyError as error:
                if not is_transient(error):
                    raise
                log.warning("transaction is run again", error=error)
                self._metrics.reran()
                self._pause(seconds * random.uniform(0.5, 1.5))  # noqa: S311 - spreads, hides nothing
        return transaction()

    def _count(self, kind: Kind, outcome: Outcome) -> Outcome:
        self._metrics.counted(kind, outcome)
        return outcome
