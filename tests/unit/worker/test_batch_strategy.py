"""How messages become one job of the pool, and what becomes of them when it ends."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from billiard.einfo import ExceptionInfo
from billiard.exceptions import WorkerLostError
from celery.worker import state, strategy
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from app.database.sessions import WriteSession
from app.settings import Settings
from app.tasks.registry import TaskDefinitionError, TaskRegistry, task
from worker.batches.request import BatchRequest, mask, places
from worker.batches.strategy import BatchStrategy, may_be_batched
from worker.celery_app import create_celery
from worker.delivery.unacknowledged import Batches
from worker.message import Delivery
from worker.outcome import Outcome
from worker.running import (
    batched_task_ids,
    delivery_tags,
    describe_running,
    leased_task_ids,
    running_task_names,
)


class Nothing(BaseModel):
    pass


@task("quick", batch_size=3)
def quick(session: WriteSession, payload: Nothing) -> None:
    del session, payload


class StandInMessage:
    delivery_info: dict[str, Any]

    def __init__(self, number: int, channel: object, *, redelivered: bool = False, **headers: object) -> None:
        self.delivery_tag = f"tag-{number}"
        self.headers = {"id": f"task-{number}", "task": "quick", "request_id": f"request-{number}", **headers}
        self.delivery_info = {"routing_key": "default", "redelivered": redelivered}
        self.properties: dict[str, Any] = {}
        self.channel = channel


class Bench:
    """A strategy in a worker that notes what it is asked to do."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.alone: list[str] = []
        self.requests: list[BatchRequest] = []
        self.acknowledged: list[str] = []
        self.together: list[list[str]] = []
        self.soon: list[tuple[Callable[..., None], tuple[Any, ...]]] = []
        monkeypatch.setattr(strategy, "default", lambda *_, **__: self._run_alone)
        for name in ("active_requests", "reserved_requests"):
            monkeypatch.setattr(state, name, set())
        settings = Settings.model_validate({"db_password": "x", "redis_password": "x"})
        app = create_celery(settings, TaskRegistry([quick]), lambda *_: Outcome.SUCCEEDED, lambda *_: set())
        consumer = SimpleNamespace(
            hub=SimpleNamespace(call_soon=lambda call, *arguments: self.soon.append((call, arguments))),
            hostname="celery@worker-1",
            event_dispatcher=None,
            connection_errors=(OSError,),
            on_task_request=self.requests.append,
        )
        self.channel = SimpleNamespace(qos=SimpleNamespace(count_as_one=self.together.append))
        self.task: Any = app.tasks["quick"]
        self.strategy = BatchStrategy(self.task, app, consumer)

    def receive(self, *numbers: int, **options: Any) -> None:  # noqa: ANN401 - as the message's
        for number in numbers:
            message = StandInMessage(number, self.channel, **options)
            self.strategy(message, None, self._end(number, "ack"), self._end(number, "reject"), [])

    def turn(self) -> None:
        """Let the event loop turn once."""
        soon, self.soon = self.soon, []
        for call, arguments in soon:
            call(*arguments)

    def _end(self, number: int, how: str) -> Callable[..., None]:
        return lambda *_: self.acknowledged.append(f"{how} task-{number}")

    def _run_alone(self, message: StandInMessage, *_: object) -> None:
        self.alone.append(str(message.headers["id"]))


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    return Bench(monkeypatch)


def test_what_came_in_one_answer_becomes_jobs_of_the_batch_size(bench: Bench) -> None:
    bench.receive(0, 1, 2, 3)
    assert bench.requests == []

    bench.turn()

    assert [[member.task_id for member in request.members] for request in bench.requests] == [
        ["task-0", "task-1", "task-2"],
        ["task-3"],
    ]
    assert bench.together == [["tag-0", "tag-1", "tag-2"], ["tag-3"]]


def test_the_process_is_told_of_each_message_what_it_has_to_know(bench: Bench) -> None:
    bench.receive(0, traceparent="00-a-b-01")
    bench.receive(1, request_id="not harmless */")
    bench.turn()

    assert bench.requests[0].kwargs["batch"] == [
        Delivery("task-0", "default", "request-0", "00-a-b-01"),
        Delivery("task-1", "default"),
    ]


@pytest.mark.parametrize(
    "special",
    [
        {"redelivered": True},
        {"eta": "2030-01-01T00:00:00"},
        {"expires": "2030-01-01T00:00:00"},
        {"timelimit": [1, 2]},
    ],
)
def test_a_special_message_runs_alone(bench: Bench, special: dict[str, Any]) -> None:
    bench.receive(0, **special)
    bench.turn()

    assert (bench.alone, bench.requests) == (["task-0"], [])


def test_an_ordinary_message_may_be_batched() -> None:
    headers = {"eta": None, "expires": None, "timelimit": [None, None]}

    assert may_be_batched(headers, {"routing_key": "default"})


def test_what_the_process_has_dealt_with_is_acknowledged_and_the_rest_runs_alone(bench: Bench) -> None:
    bench.receive(0, 1, 2)
    bench.turn()

    bench.requests[0].on_success((False, str(mask([1])), 0.1))
    bench.turn()

    assert bench.acknowledged == ["ack task-0", "ack task-2"]
    assert bench.alone == ["task-1"]


@pytest.mark.parametrize("error", [WorkerLostError("exited"), ValueError("no luck")])
def test_of_a_batch_that_did_not_end_everything_runs_alone(bench: Bench, error: Exception) -> None:
    bench.receive(0, 1)
    bench.turn()

    with pytest.raises(type(error)) as raised:
        raise error
    bench.requests[0].on_failure(ExceptionInfo((raised.type, raised.value, raised.tb)))
    assert bench.alone == [], "not from within the pool"
    bench.turn()

    assert (bench.acknowledged, bench.alone) == ([], ["task-0", "task-1"])


def test_a_batch_killed_at_its_limit_runs_alone(bench: Bench) -> None:
    bench.receive(0, 1)
    bench.turn()

    bench.requests[0].on_timeout(soft=False, timeout=5)
    bench.turn()

    assert bench.alone == ["task-0", "task-1"]


def test_a_batch_is_known_by_each_of_its_tasks_and_holds_no_lease(bench: Bench) -> None:
    bench.receive(0, 1)
    bench.turn()
    request = bench.requests[0]
    request.time_start = 1.0
    state.active_requests.add(request)

    assert leased_task_ids() == []
    assert batched_task_ids() == ["task-0", "task-1"]
    assert running_task_names() == ["quick", "quick"]
    assert [task["task_id"] for task in describe_running()] == ["task-0"], "a page has no room for more"
    assert delivery_tags(request) == ["tag-0", "tag-1"]


def test_the_task_says_which_of_its_batch_are_left(bench: Bench) -> None:
    bench.task._handle_batch = lambda *_: {"b", "c"}

    returned = bench.task.run(batch=[Delivery(name, "default") for name in "abc"])

    assert places(returned) == [1, 2]


@given(st.sets(st.integers(0, 499)))
def test_places_survive_as_a_number(chosen: set[int]) -> None:
    assert places(mask(chosen)) == sorted(chosen)


def test_a_batch_takes_one_place_until_its_last_message_has_ended() -> None:
    batches = Batches()
    batches.add(["a", "b", "c"])
    batches.add(["d"])

    spared = []
    for tag in ("b", "d", "a", "other", "c"):
        batches.remove(tag)
        spared.append(batches.spared)

    assert spared == [1, 1, 0, 0, 0]


@pytest.mark.parametrize("size", [0, -1, 501])
def test_a_batch_size_is_within_bounds(size: int) -> None:
    with pytest.raises(TaskDefinitionError, match="1 to 500"):
        task("quick", batch_size=size)
