"""From the messages of a batch to their outcomes: claimed, run and finished in one transaction."""

import time
from collections.abc import Sequence
from contextlib import ExitStack, nullcontext

import structlog
from billiard.exceptions import SoftTimeLimitExceeded
from redis import Redis

from app.batches.repository import BatchRepository, Locked, Member
from app.correlation import REQUEST_ID, TASK_ID, TRACE_ID
from app.database.errors import is_transient
from app.database.routing import Database
from app.database.sessions import WriteSession
from app.tasks.context import TaskContext
from app.tasks.registry import TaskDefinition
from app.tracing.tracing import Span, Tracing
from worker.batches.report import BatchReport, Deliveries, Done, Part, TaskRaisedError
from worker.commits import CommitUncertainError, commit
from worker.message import Delivery
from worker.metrics import TaskMetrics
from worker.outcome import Outcome

log = structlog.get_logger(__name__)

# The rows stay locked meanwhile, and the first task's effect waits for the last one's.
MOST_SECONDS = 0.25


class BatchExecution:
    """Runs batches on behalf of one worker process. What does not go smoothly is left to be run alone."""

    def __init__(
        self,
        database: Database,
        redis: Redis,
        metrics: TaskMetrics,
        *,
        worker: str,
        tracing: Tracing | None = None,
    ) -> None:
        self._database = database
        self._redis = redis
        self._report = BatchReport(metrics)
        self._worker = worker
        self._tracing = tracing or Tracing()

    def handle(self, definition: TaskDefinition, batch: Sequence[Delivery]) -> set[str]:
        """Handle the messages; returns the ids of the tasks that have to be run alone."""
        left: Deliveries = {delivery.task_id: delivery for delivery in batch}
        alone: set[str] = set()
        while left:
            try:
                left = self._run_part(definition, left, alone)
            except Exception as error:  # noqa: BLE001 - whatever it is, alone it shows whose it is
                log.warning("batch is run task by task", task=definition.name, tasks=len(left), error=error)
                alone |= left.keys()
                break
        return alone

    def _run_part(self, definition: TaskDefinition, left: Deliveries, alone: set[str]) -> Deliveries:
        """Run one transaction; returns what it had no time for."""
        try:
            return self._transaction(Part(definition, left), alone)
        except TaskRaisedError as raised:
            self._leave(definition, raised, alone)
        others = {task_id: delivery for task_id, delivery in left.items() if task_id not in alone}
        return self._transaction(Part(definition, others, isolated=True), alone) if others else {}

    def _transaction(self, part: Part, alone: set[str]) -> Deliveries:
        with self._database.write() as session, ExitStack() as spans:
            session.keep_loaded()  # each task asks for the same few users
            repository = BatchRepository(session)
            try:
                locked = repository.lock(part.deliveries)
                done, rest = self._run_all(session, part, locked, spans, alone)
                if done:
                    self._succeed(session, repository, part, done)
                else:
                    repository.relax()
            except TaskRaisedError:
                repository.relax()
                raise
            except BaseException:
                # Interrupted anywhere, the connection may hold half an answer; the next user would get it.
                session.invalidate()
                raise
        alone.update(locked.others)
        self._report.skipped(part, locked)
        return {member.task_id: part.deliveries[member.task_id] for member in rest}

    def _run_all(
        self, session: WriteSession, part: Part, locked: Locked, spans: ExitStack, alone: set[str]
    ) -> tuple[list[Done], list[Member]]:
        """Run as many as there is time for; returns them, and the rest."""
        begin, done = time.perf_counter(), list[Done]()
        for place, member in enumerate(locked.members):
            if done and time.perf_counter() - begin > MOST_SECONDS:
                return done, locked.members[place:]
            try:
                done.append(self._run(session, part, member, spans, begin))
            except TaskRaisedError as raised:
                if not part.isolated:
                    raise
                self._leave(part.definition, raised, alone)
        return done, []

    def _run(
        self, session: WriteSession, part: Part, member: Member, spans: ExitStack, locked_at: float
    ) -> Done:
        started = time.perf_counter()
        traceparent = part.deliveries[member.task_id].traceparent
        with ExitStack() as own:
            span = own.enter_context(self._tracing.processing(*part.kind, member.task_id, traceparent))
            span.set(attempt=1, queue_wait_seconds=member.queue_wait_seconds + started - locked_at)
            result = self._call(session, part, member, span)
            spans.push(own.pop_all())  # it lasts until the commit
        return Done(member, result, started, started - locked_at, span)

    def _call(
        self, session: WriteSession, part: Part, member: Member, span: Span
    ) -> dict[str, object] | None:
        """Call the function.

        Raises:
            TaskRaisedError: it raised, or its payload does not fit.
        """
        context = TaskContext(
            task_id=member.task_id,
            attempt=1,
            worker=self._worker,
            redis=self._redis,
            is_cancelled=lambda: False,  # who cancels it waits for the end of the transaction
        )
        ids = {TASK_ID: member.task_id, REQUEST_ID: member.request_id, TRACE_ID: span.trace_id}
        known = {name: value for name, value in ids.items() if value}
        try:
            with (
                structlog.contextvars.bound_contextvars(task=part.definition.name, **known),
                self._tracing.span("run"),
                session.part() if part.isolated else nullcontext(),
            ):
                result = part.definition.run(session, member.payload, context)
                session.flush()
                return result
        except SoftTimeLimitExceeded:
            raise
        except Exception as error:
            if is_transient(error):
                raise
            raise TaskRaisedError(member.task_id) from error

    def _succeed(
        self, session: WriteSession, repository: BatchRepository, part: Part, done: Sequence[Done]
    ) -> None:
        now = time.perf_counter()
        ends = [one.end(now) for one in done]
        if not repository.succeed(ends, self._worker, part.definition.name):
            raise RuntimeError("rows changed that are locked")
        try:
            commit(session)
        except CommitUncertainError:
            self._report.ended(part, done, Outcome.UNCERTAIN)
            raise
        self._report.ended(part, done, Outcome.SUCCEEDED)

    def _leave(self, definition: TaskDefinition, raised: TaskRaisedError, alone: set[str]) -> None:
        self._report.raised(definition, raised)
        alone.add(raised.task_id)
