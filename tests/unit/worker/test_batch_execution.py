"""What follows when the database or a task misbehaves at each point of a batch."""

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pytest
from billiard.exceptions import SoftTimeLimitExceeded
from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from structlog.testing import capture_logs

from app.attempts.lifecycle import Skip, SkipReason
from app.batches.repository import End, Locked, Member
from app.database.sessions import WriteSession
from app.tasks.context import PermanentTaskError, TaskCancelledError, TaskContext
from app.tasks.registry import TaskDefinition, task
from tests.unit.worker.stand_ins import mysql_error
from worker.batches import execution
from worker.batches.execution import BatchExecution
from worker.message import Delivery
from worker.metrics import TaskMetrics

if TYPE_CHECKING:
    from redis import Redis

    from app.database.routing import Database

DEADLOCK, GONE = 1213, 2013
ECHO = {"task": "echo", "queue": "default"}
Body = Callable[[TaskContext], None]


class Word(BaseModel):
    word: str


class StandInSession:
    """Stands in for Database, session and BatchRepository at once; notes what it is asked to do."""

    def __init__(self, members: Sequence[Member]) -> None:
        self.locked = Locked(list(members), {}, [])
        self.calls: list[str] = []
        self.succeeded: list[str] = []
        self.errors: dict[str, list[Exception | None]] = {}
        self.writes_all = True

    @contextmanager
    def write(self) -> Iterator["StandInSession"]:
        yield self

    def lock(self, task_ids: Collection[str]) -> Locked:
        self._step("lock")
        members = [member for member in self.locked.members if member.task_id in task_ids]
        return Locked(members, self.locked.skipped, self.locked.others)

    def relax(self) -> None:
        self._step("relax")

    def succeed(self, ends: Sequence[End], worker: str, name: str) -> bool:
        assert (worker, name) == ("worker-1", "echo")
        self._step("succeed")
        self.succeeded = [end.task_id for end in ends]
        return self.writes_all

    @contextmanager
    def part(self) -> Iterator[None]:
        self._step("savepoint")
        yield

    def keep_loaded(self) -> None:
        """Every row is here already."""

    def flush(self) -> None:
        self._step("flush")

    def commit(self) -> None:
        self._step("commit")

    def invalidate(self) -> None:
        self._step("invalidate")

    def _step(self, name: str) -> None:
        self.calls.append(name)
        planned = self.errors.get(name, [])
        error = planned.pop(0) if planned else None
        if error:
            raise error


class Bench:
    """An execution on a stand-in ledger that has the tasks a, b and c."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.session = StandInSession(
            [Member(name, {"word": name}, f"r-{name}", 0.25, 100) for name in "abc"]
        )
        self.registry = CollectorRegistry()
        self.deliveries = [Delivery(name, "default") for name in "abc"]
        self.execution = BatchExecution(
            cast("Database", self.session),
            cast("Redis", object()),
            TaskMetrics(self.registry),
            worker="worker-1",
        )
        monkeypatch.setattr(execution, "BatchRepository", lambda session: session)

    def handle(self, body: Body = lambda _: None) -> set[str]:
        return self.execution.handle(echo(body), self.deliveries)

    def metric(self, name: str, **labels: str) -> float:
        return self.registry.get_sample_value(name, labels) or 0


def echo(body: Body) -> TaskDefinition:
    @task("echo", batch_size=10)
    def function(session: WriteSession, payload: Word, context: TaskContext) -> Word:
        del session
        body(context)
        return payload

    return function


def raising(error: Exception, *names: str) -> Body:
    def body(context: TaskContext) -> None:
        if context.task_id in names:
            raise error

    return body


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_a_batch_is_one_transaction_without_savepoints(bench: Bench) -> None:
    assert bench.handle() == set()

    assert bench.session.calls == ["lock", "flush", "flush", "flush", "succeed", "commit"]
    assert bench.session.succeeded == ["a", "b", "c"]


def test_each_task_of_a_batch_is_measured_and_logged_by_itself(bench: Bench) -> None:
    with capture_logs() as logs:
        bench.handle()

    ended = [entry for entry in logs if entry["event"] == "task ended"]
    assert [(entry["task_id"], entry["request_id"]) for entry in ended] == [
        ("a", "r-a"),
        ("b", "r-b"),
        ("c", "r-c"),
    ]
    assert {(entry["batch"], entry["outcome"]) for entry in ended} == {(3, "succeeded")}
    assert all(entry["waited_seconds"] >= 0.25 for entry in ended)
    assert bench.metric("tasks_total", **ECHO, outcome="succeeded") == 3
    assert bench.metric("task_queue_wait_seconds_sum", **ECHO) >= 0.75
    assert bench.metric("task_duration_seconds_count", **ECHO, outcome="succeeded") == 3
    assert bench.metric("task_accepted_to_done_seconds_sum", **ECHO) == pytest.approx(300, abs=5)
    assert bench.metric("task_attempts_sum", **ECHO) == 3


@pytest.mark.parametrize("error", [ValueError("no"), PermanentTaskError("no"), TaskCancelledError("no")])
def test_whatever_a_task_raises_it_runs_alone_and_the_others_again_with_savepoints(
    bench: Bench, error: Exception
) -> None:
    assert bench.handle(raising(error, "b")) == {"b"}

    assert bench.session.calls[:4] == ["lock", "flush", "relax", "lock"]
    assert bench.session.calls.count("savepoint") == 2
    assert bench.session.succeeded == ["a", "c"]
    assert bench.session.calls.count("commit") == 1


def test_of_several_that_raise_each_runs_alone(bench: Bench) -> None:
    assert bench.handle(raising(ValueError("no"), "a", "c")) == {"a", "c"}

    assert bench.session.succeeded == ["b"]


def test_a_payload_that_does_not_fit_is_the_tasks_own_failure(bench: Bench) -> None:
    bench.session.locked.members[0] = Member("a", {"words": "?"}, None, 0, 0)

    assert bench.handle() == {"a"}


def test_a_row_that_the_database_refuses_is_the_tasks_own_failure(bench: Bench) -> None:
    bench.session.errors["flush"] = [None, mysql_error(1062)]

    assert bench.handle() == {"b"}


@pytest.mark.parametrize("step", ["lock", "flush", "succeed", "commit"])
@pytest.mark.parametrize("code", [DEADLOCK, GONE])
def test_a_transaction_that_the_database_did_not_end_runs_task_by_task(
    bench: Bench, step: str, code: int
) -> None:
    bench.session.errors[step] = [mysql_error(code)]

    assert bench.handle() == {"a", "b", "c"}

    assert bench.session.calls.count(step) == 1
    assert bench.session.calls[-1] == "invalidate", "nobody else gets the connection"
    uncertain = 3 if (step, code) == ("commit", GONE) else 0
    assert bench.metric("tasks_total", **ECHO, outcome="uncertain") == uncertain
    assert bench.metric("tasks_total", **ECHO, outcome="succeeded") == 0


def test_rows_that_changed_in_spite_of_their_locks_roll_the_batch_back(bench: Bench) -> None:
    bench.session.writes_all = False

    assert bench.handle() == {"a", "b", "c"}

    assert "commit" not in bench.session.calls


def test_an_interrupted_batch_lets_go_of_its_connection(bench: Bench) -> None:
    assert bench.handle(raising(SoftTimeLimitExceeded(), "b")) == {"a", "b", "c"}

    assert bench.session.calls.count("invalidate") == 1
    assert "commit" not in bench.session.calls


def test_what_must_not_run_is_skipped_and_what_has_run_before_runs_alone(bench: Bench) -> None:
    bench.session.locked = Locked(
        bench.session.locked.members[:1], {"b": Skip(SkipReason.FINAL)}, others=["c"]
    )
    bench.deliveries.append(Delivery("unheard-of", "default"))

    assert bench.handle() == {"c"}

    assert bench.session.succeeded == ["a"]
    assert bench.metric("task_skips_total", reason="final") == 1
    assert bench.metric("task_skips_total", reason="unknown") == 1


def test_a_batch_of_which_nothing_runs_writes_nothing(bench: Bench) -> None:
    bench.session.locked = Locked([], {"a": Skip(SkipReason.FINAL)}, others=["b", "c"])

    assert bench.handle() == {"b", "c"}

    assert bench.session.calls == ["lock", "relax"]


def test_a_batch_that_takes_long_ends_in_parts(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(execution, "MOST_SECONDS", -1)

    assert bench.handle() == set()

    assert bench.session.calls == ["lock", "flush", "succeed", "commit"] * 3


def test_a_message_that_is_there_twice_is_one_task(bench: Bench) -> None:
    bench.deliveries += bench.deliveries[:1]
    starts: list[str] = []

    bench.handle(lambda context: starts.append(context.task_id))

    assert starts == ["a", "b", "c"]


def test_nobody_can_cancel_a_task_while_its_row_is_locked(bench: Bench) -> None:
    assert bench.handle(TaskContext.raise_if_cancelled) == set()
