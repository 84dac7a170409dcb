"""Publisher and recorder, with stand-ins for Redis and MySQL that fail on demand."""

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import OperationalError

from app.metrics import ApiMetrics
from app.requests.recorder import RequestRecorder
from app.tasks.broker import Broker, Message, PublishError
from app.tasks.publisher import Publisher

if TYPE_CHECKING:
    from app.database.routing import Database


class StandInSession:
    def __init__(self, database: "StandInDatabase") -> None:
        self._database = database

    def execute(self, statement: object, parameters: object = None) -> None:
        if self._database.is_down:
            raise OperationalError("INSERT", None, Exception("gone"))
        self._database.executed.append((statement, parameters))

    def commit(self) -> None:
        self._database.commits += 1


class StandInDatabase:
    def __init__(self) -> None:
        self.is_down = False
        self.executed: list[tuple[object, Any]] = []
        self.commits = 0

    @contextmanager
    def write(self) -> Iterator[StandInSession]:
        yield StandInSession(self)


class StandInBroker:
    def __init__(self) -> None:
        self.is_down = False
        self.attempts = 0
        self.published: list[str] = []
        self.called = threading.Event()

    def publish(self, messages: Sequence[Message]) -> None:
        self.attempts += 1
        self.called.set()
        if self.is_down:
            raise PublishError("refused")
        self.published += [message.task_id for message in messages]


Publishing = tuple[Publisher, StandInBroker, StandInDatabase]


@pytest.fixture
def publishing() -> Publishing:
    broker, database = StandInBroker(), StandInDatabase()
    return Publisher(cast("Broker", broker), cast("Database", database)), broker, database


def message(task_id: str) -> Message:
    return Message(task_id, "name", "default")


def test_what_is_waiting_at_the_stop_is_published_and_marked(publishing: Publishing) -> None:
    publisher, broker, database = publishing
    for number in range(1200):
        publisher.enqueue(message(str(number)))
    publisher.start()
    publisher.stop(5)
    assert broker.published == [str(number) for number in range(1200)]
    assert broker.attempts < 10, "messages go in batches"
    assert database.commits >= 1


def test_a_lost_redis_is_asked_once_a_second_not_once_a_message(publishing: Publishing) -> None:
    publisher, broker, database = publishing
    broker.is_down = True
    publisher.start()
    publisher.enqueue(message("first"))
    assert broker.called.wait(5)
    for number in range(100):
        publisher.enqueue(message(str(number)))
    publisher.stop(5)
    assert broker.attempts == 1
    assert database.executed == [], "nothing is marked that was not published"


def test_a_lost_database_does_not_stop_the_publishing(publishing: Publishing) -> None:
    publisher, broker, database = publishing
    database.is_down = True
    publisher.enqueue(message("one"))
    publisher.start()
    publisher.stop(5)
    assert broker.published == ["one"]
    assert database.commits == 0


def test_the_memory_of_the_publisher_is_bounded(
    publishing: Publishing, monkeypatch: pytest.MonkeyPatch
) -> None:
    publisher, broker, _database = publishing
    monkeypatch.setattr("app.tasks.publisher.CAPACITY", 10)
    for number in range(25):
        publisher.enqueue(message(str(number)))
    publisher.start()
    publisher.stop(5)
    assert len(broker.published) == 10


Recording = Callable[[int], tuple[RequestRecorder, StandInDatabase, ApiMetrics]]


@pytest.fixture
def recording() -> Recording:
    def make(capacity: int) -> tuple[RequestRecorder, StandInDatabase, ApiMetrics]:
        database, metrics = StandInDatabase(), ApiMetrics(CollectorRegistry())
        return RequestRecorder(cast("Database", database), metrics, capacity), database, metrics

    return make


def test_rows_are_written_in_batches(recording: Recording) -> None:
    recorder, database, metrics = recording(10_000)
    for number in range(1200):
        recorder.record({"id": number})
    recorder.start()
    recorder.stop(5)
    assert [len(rows) for _statement, rows in database.executed] == [500, 500, 200]
    assert metrics.request_log_written._value.get() == 1200


def test_rows_that_do_not_fit_are_dropped_and_counted(recording: Recording) -> None:
    recorder, _database, metrics = recording(10)
    for number in range(25):
        recorder.record({"id": number})
    assert metrics.request_log_dropped._value.get() == 15


def test_rows_that_cannot_be_written_are_dropped_and_counted(recording: Recording) -> None:
    recorder, database, metrics = recording(100)
    database.is_down = True
    recorder.record({"id": 1})
    recorder.start()
    recorder.stop(5)
    assert metrics.request_log_dropped._value.get() == 1
    assert metrics.request_log_written._value.get() == 0
