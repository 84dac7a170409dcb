"""The step that keeps messages, and the private parts of Celery and kombu it stands on."""

import inspect
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import billiard.pool
import celery.apps.worker
import kombu.transport.redis
import pytest
from celery.worker import state
from celery.worker.request import Request
from kombu.transport import virtual

from worker.delivery.lease import held_tags, visibility_lease
from worker.running import TRIES, describe_running, leased_task_ids, running_requests


class StandInRequest:
    def __init__(self, tag: str, *, acknowledged: bool = False, time_start: float | None = None) -> None:
        self.message = SimpleNamespace(delivery_tag=tag)
        self.acknowledged = acknowledged
        self.time_start = time_start
        self.id, self.name = f"task-{tag}", "echo"


class StandInChannel:
    visibility_timeout = 40
    unacked_index_key = "unacked_index"
    connection_errors = (OSError,)

    def __init__(self) -> None:
        self.qos = SimpleNamespace(_delivered={"reserved": None})
        self.renewed: list[tuple[str, set[str], bool]] = []
        self.error: OSError | None = None

    @contextmanager
    def conn_or_acquire(self) -> Iterator["StandInChannel"]:
        if self.error:
            raise self.error
        yield self

    def time(self) -> tuple[int, int]:
        return 1000, 500_000

    def zadd(self, key: str, scores: dict[str, float], *, xx: bool) -> None:
        assert set(scores.values()) == {1000.5}  # the server's clock
        self.renewed.append((key, set(scores), xx))


class StandInTimer:
    def __init__(self) -> None:
        self.calls: list[tuple[float, tuple[Any, ...]]] = []
        self.cancelled = 0

    def call_repeatedly(self, seconds: float, _: object, arguments: tuple[Any, ...]) -> "StandInTimer":
        self.calls.append((seconds, arguments))
        return self

    def cancel(self) -> None:
        self.cancelled += 1


@pytest.fixture
def active(monkeypatch: pytest.MonkeyPatch) -> set[StandInRequest]:
    requests: set[StandInRequest] = set()
    monkeypatch.setattr(state, "active_requests", requests)
    monkeypatch.setattr(state, "reserved_requests", set())
    return requests


@pytest.fixture
def consumer() -> SimpleNamespace:
    return SimpleNamespace(
        task_consumer=SimpleNamespace(channel=StandInChannel()), timer=StandInTimer(), steps=[]
    )


def make_step(consumer: SimpleNamespace, failures: list[int] | None = None) -> Any:  # noqa: ANN401 - a local class
    return visibility_lease(lambda: (failures if failures is not None else []).append(1))(consumer)


def test_messages_of_earlier_connections_are_held_while_their_tasks_run(active: set[StandInRequest]) -> None:
    running, done = StandInRequest("running"), StandInRequest("done", acknowledged=True)
    active.update({running, done})

    assert held_tags(StandInChannel()) == {"reserved", "running"}


def test_only_what_redis_still_knows_is_renewed(
    active: set[StandInRequest], consumer: SimpleNamespace
) -> None:
    del active

    make_step(consumer).renew(consumer)

    assert consumer.task_consumer.channel.renewed == [("unacked_index", {"reserved"}, True)]


def test_a_worker_without_messages_asks_nothing(
    active: set[StandInRequest], consumer: SimpleNamespace
) -> None:
    del active
    consumer.task_consumer.channel.qos._delivered.clear()

    make_step(consumer).renew(consumer)

    assert consumer.task_consumer.channel.renewed == []


def test_a_redis_that_is_away_is_counted_and_survived(
    active: set[StandInRequest], consumer: SimpleNamespace
) -> None:
    del active
    failures: list[int] = []
    consumer.task_consumer.channel.error = OSError("refused")

    make_step(consumer, failures).renew(consumer)

    assert failures == [1]


def test_it_renews_four_times_per_timeout_and_ends_with_the_consumer(consumer: SimpleNamespace) -> None:
    step = make_step(consumer)

    step.start(consumer)
    step.terminate(consumer)
    step.stop(consumer)

    assert consumer.timer.calls == [(10, (consumer,))]
    assert consumer.timer.cancelled == 1


def test_running_tasks_are_described_longest_first(
    active: set[StandInRequest], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.running.time.time", lambda: 100.0)
    active.update(
        {StandInRequest("a", time_start=99), StandInRequest("b", time_start=40), StandInRequest("c")}
    )

    assert describe_running() == [
        {"task_id": "task-b", "name": "echo", "seconds": 60.0},
        {"task_id": "task-a", "name": "echo", "seconds": 1.0},
    ]
    assert sorted(leased_task_ids()) == ["task-a", "task-b", "task-c"]


class Changing:
    """A set that changes during the first looks at it."""

    def __init__(self, times: int) -> None:
        self.times = times

    def __iter__(self) -> Iterator[int]:
        self.times -= 1
        if self.times >= 0:
            raise RuntimeError("Set changed size during iteration")
        return iter([1])


def test_a_change_during_the_look_is_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(state, "active_requests", Changing(3))
    assert running_requests() == (1,)

    monkeypatch.setattr(state, "active_requests", Changing(TRIES + 1))
    with pytest.raises(RuntimeError, match="changed during each"):
        running_requests()


def test_the_pinned_celery_and_kombu_have_what_the_worker_relies_on() -> None:
    assert "_delivered" in inspect.getsource(virtual.QoS.__init__)
    assert isinstance(kombu.transport.redis.Channel.unacked_index_key, str)
    assert callable(kombu.transport.redis.Channel.conn_or_acquire)
    assert kombu.transport.redis.Channel.unacked_key == "unacked"
    assert isinstance(inspect.getattr_static(Request, "message"), property)
    assert Request.acknowledged is False
    assert {"active_requests", "reserved_requests"} <= vars(state).keys()
    assert "w.index = i" in inspect.getsource(billiard.pool)
    assert "wait_for_soft_shutdown()" in inspect.getsource(celery.apps.worker)
    assert "safe_say" in vars(celery.apps.worker)
