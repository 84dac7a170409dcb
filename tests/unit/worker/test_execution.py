"""What follows when the database or the task misbehaves at each point of an attempt."""

from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from prometheus_client import CollectorRegistry, Counter, Histogram
from pydantic import BaseModel
from sqlalchemy.exc import OperationalError, ProgrammingError
from structlog.testing import capture_logs

from app.attempts.lifecycle import GiveUp, Skip, SkipReason
from app.database.sessions import WriteSession
from app.tasks.context import PermanentTaskError, TaskCancelledError, TaskContext
from app.tasks.registry import TaskDefinition, task
from tests.unit.worker.stand_ins import ATTEMPT, StandInLedger, mysql_error
from worker import execution
from worker.execution import PAUSES_SECONDS, REQUEUE_PAUSE_SECONDS, Execution
from worker.message import Delivery
from worker.metrics import TaskMetrics
from worker.outcome import Outcome

if TYPE_CHECKING:
    from redis import Redis

    from app.database.routing import Database

DEADLOCK, GONE = 1213, 2013
ECHO = {"task": "echo", "queue": "default"}


class Word(BaseModel):
    word: str


class Bench:
    """An execution on a stand-in ledger, and what it measured and waited."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.ledger = StandInLedger()
        self.registry = CollectorRegistry()
        self.pauses: list[float] = []
        monkeypatch.setattr(execution, "AttemptRepository", self.ledger.repository)
        monkeypatch.setattr(execution, "RequestLogRepository", self.ledger.repository)
        self.execution = Execution(
            cast("Database", self.ledger),
            cast("Redis", object()),
            TaskMetrics(self.registry),
            owner=ATTEMPT.owner,
            worker="worker-1",
            lease_seconds=60,
            pause=self.pauses.append,
        )

    def handle(self, body: Callable[[TaskContext], Any] = lambda _: None) -> Outcome:
        return self.execution.handle(echo(body), Delivery(ATTEMPT.task_id, "default"))

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0


def echo(body: Callable[[TaskContext], Any]) -> TaskDefinition:
    @task("echo")
    def function(session: WriteSession, payload: Word, context: TaskContext) -> Word:
        del session
        body(context)
        return payload

    return function


def raising(*errors: Exception | None) -> Callable[[TaskContext], None]:
    left = list(errors)

    def body(_context: TaskContext) -> None:
        error = left.pop(0) if left else None
        if error:
            raise error

    return body


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_success_is_recorded_with_its_log_row_in_one_commit(bench: Bench) -> None:
    assert bench.handle() is Outcome.SUCCEEDED

    assert bench.ledger.calls == [
        ("claim", ATTEMPT.task_id, ATTEMPT.owner, "worker-1", 60, None),
        ("succeed", {"word": "hello"}),
        ("add_task_run", ATTEMPT.task_id, "echo", "request-1"),
    ]
    assert bench.ledger.commits == 2, "the claim's and the attempt's"
    assert bench.metric("tasks_total", **ECHO, outcome="succeeded") == 1
    assert bench.metric("task_queue_wait_seconds_sum", **ECHO) == 0.25
    assert bench.metric("task_duration_seconds_count", **ECHO, outcome="succeeded") == 1


def test_a_task_counts_as_done_from_its_acceptance_on(bench: Bench) -> None:
    bench.handle()

    assert bench.metric("task_accepted_to_done_seconds_count", **ECHO) == 1
    assert bench.metric("task_accepted_to_done_seconds_sum", **ECHO) == pytest.approx(100, abs=5)


@pytest.mark.parametrize("number", [1, 3])
@pytest.mark.parametrize("error", [None, PermanentTaskError("no")], ids=["succeeded", "failed"])
def test_a_final_state_tells_how_many_attempts_it_took(
    bench: Bench, number: int, error: Exception | None
) -> None:
    bench.ledger.claimed = replace(ATTEMPT, number=number)

    bench.handle(raising(error))

    assert bench.metric("task_attempts_sum", **ECHO) == number
    assert bench.metric("task_attempts_count", **ECHO) == 1
    assert bench.metric("task_accepted_to_done_seconds_count", **ECHO) == (0 if error else 1)


def test_an_attempt_that_is_not_the_last_is_no_final_state(bench: Bench) -> None:
    bench.handle(raising(ValueError("no luck")))

    assert bench.metric("task_attempts_count", **ECHO) == 0


@pytest.mark.parametrize("reason", list(SkipReason))
def test_a_message_that_must_not_run_is_skipped_and_counted(bench: Bench, reason: SkipReason) -> None:
    bench.ledger.claimed = Skip(reason)

    assert bench.handle(raising(AssertionError("must not run"))) is Outcome.SKIPPED

    assert bench.metric("task_skips_total", reason=reason.value) == 1
    assert bench.ledger.names() == ["claim"]


def test_a_task_given_up_counts_as_failed(bench: Bench) -> None:
    bench.ledger.claimed = GiveUp("its worker died in each of 4 attempts", 4)

    assert bench.handle() is Outcome.FAILED

    assert bench.ledger.commits == 1, "the claim has written the failure"
    assert bench.metric("tasks_total", **ECHO, outcome="failed") == 1
    assert bench.metric("task_attempts_sum", **ECHO) == 4


def test_the_context_knows_the_attempt(bench: Bench) -> None:
    seen: list[TaskContext] = []

    bench.handle(seen.append)

    assert (seen[0].task_id, seen[0].attempt, seen[0].worker) == (ATTEMPT.task_id, 1, "worker-1")


def test_a_deadlock_runs_the_transaction_again_within_the_attempt(bench: Bench) -> None:
    assert bench.handle(raising(mysql_error(DEADLOCK), mysql_error(GONE))) is Outcome.SUCCEEDED

    assert bench.ledger.names() == ["claim", "succeed", "add_task_run"]
    assert len(bench.pauses) == 2
    assert bench.metric("task_transaction_reruns_total") == 2


def test_a_commit_that_was_rolled_back_for_certain_is_run_again(bench: Bench) -> None:
    bench.ledger.script.commit = [None, mysql_error(DEADLOCK)]

    assert bench.handle() is Outcome.SUCCEEDED

    assert bench.ledger.names().count("succeed") == 2


@pytest.mark.parametrize("error", [mysql_error(GONE), SoftTimeLimitExceeded()])
def test_a_commit_without_an_answer_is_left_to_the_ledger(bench: Bench, error: Exception) -> None:
    bench.ledger.script.commit = [None, error]

    assert bench.handle() is Outcome.UNCERTAIN

    assert bench.ledger.names() == ["claim", "succeed", "add_task_run"], "nothing is marked"
    assert bench.ledger.invalidated == 1, "nobody else gets the connection"
    assert bench.pauses == []


def test_a_database_that_stays_away_is_waited_for_a_bounded_time(bench: Bench) -> None:
    bench.ledger.script.claim = [mysql_error(GONE)] * 100

    assert bench.handle() is Outcome.REQUEUED

    assert bench.ledger.names() == ["claim"] * (len(PAUSES_SECONDS) + 1)
    assert sum(bench.pauses) <= sum(PAUSES_SECONDS) * 1.5 + REQUEUE_PAUSE_SECONDS
    assert bench.pauses[-1] == REQUEUE_PAUSE_SECONDS, "a queue of messages must not spin"
    assert bench.metric("tasks_total", **ECHO, outcome="requeued") == 1


def test_a_claim_without_an_answer_is_taken_up_and_not_left_to_its_lease(bench: Bench) -> None:
    bench.ledger.script.commit = [mysql_error(GONE)]

    assert bench.handle() is Outcome.SUCCEEDED

    claims = [call for call in bench.ledger.calls if call[0] == "claim"]
    assert [claim[-1] for claim in claims] == [None, ATTEMPT.number]


def test_an_interrupted_claim_puts_the_message_back(bench: Bench) -> None:
    bench.ledger.script.claim = [SoftTimeLimitExceeded()]

    assert bench.handle() is Outcome.REQUEUED


def test_an_error_in_the_claim_that_no_waiting_cures_is_raised(bench: Bench) -> None:
    bench.ledger.script.claim = [ProgrammingError("SELECT", None, Exception(1146, "no such table"))]

    with pytest.raises(ProgrammingError):
        bench.handle()


def test_a_failure_is_retried_later(bench: Bench) -> None:
    assert bench.handle(raising(ValueError("no luck"))) is Outcome.RETRYING

    assert bench.ledger.calls[1:] == [("retry_later", "ValueError: no luck")]
    assert bench.metric("task_retries_total", **ECHO) == 1


def test_a_failure_for_good_fails_at_once(bench: Bench) -> None:
    assert bench.handle(raising(PermanentTaskError("there is no user 7"))) is Outcome.FAILED

    assert bench.ledger.calls[1:] == [("fail", "there is no user 7")]
    assert bench.metric("task_retries_total", **ECHO) == 0


def test_an_interrupted_task_lets_go_of_its_connection(bench: Bench) -> None:
    assert bench.handle(raising(SoftTimeLimitExceeded())) is Outcome.RETRYING

    assert bench.ledger.invalidated == 1


def test_a_database_lost_throughout_the_attempt_ends_it_as_a_failure(bench: Bench) -> None:
    outcome = bench.handle(raising(*[mysql_error(GONE)] * 100))

    assert outcome is Outcome.RETRYING
    assert bench.ledger.calls[-1] == ("retry_later", "Exception: (2013, 'error 2013')")


def test_a_failure_that_cannot_be_written_is_left_to_the_lease(bench: Bench) -> None:
    bench.ledger.script.record = [mysql_error(GONE)] * 100

    assert bench.handle(raising(ValueError("no luck"))) is Outcome.UNRECORDED

    assert bench.ledger.names().count("retry_later") == len(PAUSES_SECONDS) + 1


@pytest.mark.parametrize(("cancelled", "outcome"), [(True, Outcome.CANCELLED), (False, Outcome.LOST_LEASE)])
@pytest.mark.parametrize("body", [raising(), raising(ValueError("no luck"))], ids=["success", "failure"])
def test_an_attempt_without_its_lease_has_no_effect(
    bench: Bench, body: Callable[[TaskContext], None], *, cancelled: bool, outcome: Outcome
) -> None:
    bench.ledger.is_held, bench.ledger.cancelled = False, cancelled

    assert bench.handle(body) is outcome

    assert "add_task_run" not in bench.ledger.names()
    assert bench.metric("task_retries_total", **ECHO) == 0


def test_a_checkpoint_ends_a_cancelled_attempt(bench: Bench) -> None:
    bench.ledger.cancelled = True

    assert bench.handle(TaskContext.raise_if_cancelled) is Outcome.CANCELLED

    assert bench.ledger.names() == ["claim"]


def test_a_checkpoint_that_gets_no_answer_goes_on(bench: Bench) -> None:
    bench.ledger.script.is_cancelled = [mysql_error(GONE)]

    assert bench.handle(TaskContext.raise_if_cancelled) is Outcome.SUCCEEDED


def test_a_checkpoint_does_not_hide_a_mistake(bench: Bench) -> None:
    bench.ledger.script.is_cancelled = [OperationalError("SELECT", None, Exception(1054, "no such column"))]

    assert bench.handle(TaskContext.raise_if_cancelled) is Outcome.RETRYING


def test_a_task_may_cancel_itself(bench: Bench) -> None:
    assert bench.handle(raising(TaskCancelledError())) is Outcome.CANCELLED


def test_metrics_that_cannot_be_written_do_not_touch_the_task(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError("a cleaner removed the folder")

    for kind in (Counter, Histogram):
        monkeypatch.setattr(kind, "labels", refuse)

    with capture_logs() as logs:
        assert bench.handle() is Outcome.SUCCEEDED
        assert bench.handle(raising(ValueError("no luck"))) is Outcome.RETRYING

    assert [entry["event"] for entry in logs].count("metrics are not written") == 1


def test_a_time_limit_is_not_taken_for_a_problem_of_the_metrics(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise SoftTimeLimitExceeded

    monkeypatch.setattr(Histogram, "labels", interrupt)

    with pytest.raises(SoftTimeLimitExceeded):
        bench.handle()
