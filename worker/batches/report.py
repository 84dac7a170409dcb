"""What is said of a batch: of each of its tasks a line of the log, and its metrics."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import structlog

from app.attempts.lifecycle import Skip, SkipReason
from app.batches.repository import End, Locked, Member
from app.correlation import TASK_ID, TRACE_ID
from app.tasks.registry import TaskDefinition
from app.tracing.tracing import Span
from worker.message import Delivery
from worker.metrics import Kind, TaskMetrics
from worker.outcome import Outcome

log = structlog.get_logger(__name__)

MICROSECONDS = 1_000_000

Deliveries = Mapping[str, Delivery]


class TaskRaisedError(Exception):
    """A task's function raised; the others of its batch are run again without it."""

    def __init__(self, task_id: str) -> None:
        super().__init__(task_id)
        self.task_id = task_id


@dataclass(frozen=True)
class Done:
    """A task whose function has returned."""

    member: Member
    result: dict[str, object] | None
    started: float
    since_lock: float
    span: Span

    def end(self, now: float) -> End:
        """Return what the ledger is told."""
        took = round((now - self.started) * MICROSECONDS)
        return End(self.member.task_id, self.member.request_id, took, self.result)


class Part(NamedTuple):
    """A part of a batch that fits into one transaction, and how it is run."""

    definition: TaskDefinition
    deliveries: Deliveries
    isolated: bool = False  # with a savepoint for each task

    @property
    def kind(self) -> Kind:
        """Task and queue, which are the same for all."""
        return Kind(self.definition.name, next(iter(self.deliveries.values())).queue)


class BatchReport:
    """Tells what became of the tasks of a batch."""

    def __init__(self, metrics: TaskMetrics) -> None:
        self._metrics = metrics

    def ended(self, part: Part, done: Sequence[Done], outcome: Outcome) -> None:
        """Tell of each task that its transaction has ended."""
        now, kind = time.perf_counter(), part.kind
        self._metrics.counted(kind, outcome, len(done))
        for one in done:
            member, seconds = one.member, now - one.started
            waited = member.queue_wait_seconds + one.since_lock
            one.span.set(outcome=outcome.value)
            self._metrics.started(kind, waited)
            self._metrics.lasted(kind, outcome, seconds)
            if outcome is Outcome.SUCCEEDED:
                self._metrics.done(kind, member.age_seconds + now - one.started + one.since_lock)
                self._metrics.final(kind, 1)
            log.info(
                "task ended",
                task=kind.task,
                task_id=member.task_id,
                request_id=member.request_id,
                queue=kind.queue,
                attempt=1,
                batch=len(done),
                waited_seconds=round(waited, 3),
                outcome=outcome.value,
                seconds=round(seconds, 3),
                **({TRACE_ID: one.span.trace_id} if one.span.trace_id else {}),
            )

    def skipped(self, part: Part, locked: Locked) -> None:
        """Tell of the messages that must not run."""
        known = {member.task_id for member in locked.members} | {*locked.skipped, *locked.others}
        unknown = dict.fromkeys(part.deliveries.keys() - known, Skip(SkipReason.UNKNOWN))
        for task_id, skip in (unknown | locked.skipped).items():
            log.info("message skipped", reason=skip.reason.value, **part.deliveries[task_id].ids)
            self._metrics.skipped(skip.reason)

    def raised(self, definition: TaskDefinition, raised: TaskRaisedError) -> None:
        """Tell of a task that is run alone because it raised."""
        ids = {"task": definition.name, TASK_ID: raised.task_id}
        log.info("task raised in a batch, it is run alone", error=raised.__cause__, **ids)
