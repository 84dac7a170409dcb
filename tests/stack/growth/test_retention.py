"""What is old is removed from MySQL, and nobody waits for that."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import delete, select, text

from app.attempts.repository import Attempt, AttemptRepository
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.migrations.__main__ import migrate
from app.models import Product, RequestLog, Task, TaskStatus, User
from app.retention.repository import ENDED_TASKS, LoggedRequests
from app.retention.task_ids import first_id_of
from tests.stack.growth.own_mysql import SMALL, OwnMysql
from worker.relay.retention import Retention, Rule
from worker.relay.retention_metrics import RetentionMetrics

NOW = datetime.now(UTC)
LONG_AGO, LATELY = NOW - timedelta(days=100), NOW - timedelta(days=10)
MONTH = timedelta(days=30)
RULES: list[Rule] = [*((MONTH, kind) for kind in ENDED_TASKS), (MONTH, LoggedRequests())]
USER_ID = 1


def task_id(accepted_at: datetime, number: int) -> str:
    return f"{first_id_of(accepted_at)[:-12]}{number:012x}"


def task(accepted_at: datetime, number: int, status: TaskStatus, finished_at: datetime | None = None) -> Task:
    return Task(
        id=task_id(accepted_at, number),
        name="sample",
        queue="default",
        payload={},
        status=status,
        max_attempts=4,
        retry_delay_seconds=1,
        available_at=accepted_at,
        finished_at=finished_at,
        idempotency_key=f"{accepted_at}-{number}",
    )


def log_row(moment: datetime, task_id: str | None) -> RequestLog:
    about = {"server_id": "celery-worker", "method": "TASK", "path": "sample", "status_code": 200}
    return RequestLog(**about, duration_ms=1, timestamp=moment, task_id=task_id)


@pytest.fixture(scope="module")
def migrated(mysql: OwnMysql) -> Iterator[Database]:
    migrate(mysql.settings(SMALL))
    database = Database(mysql.settings(SMALL), DatabaseMetrics(CollectorRegistry()))
    with database.write() as session:
        session.add(User(id=USER_ID, name="Ada", email="ada@example.com"))
        session.commit()
    yield database
    database.dispose()


@pytest.fixture
def database(migrated: Database) -> Database:
    with migrated.write() as session:
        for table in (Task, Product, RequestLog):
            session.execute(delete(table))
        session.commit()
    return migrated


def add(database: Database, *rows: object) -> None:
    with database.write() as session:
        session.add_all(rows)
        session.commit()


def sweep(database: Database) -> RetentionMetrics:
    metrics = RetentionMetrics(CollectorRegistry())
    Retention(database, metrics, RULES).sweep()
    return metrics


def kept(database: Database) -> set[str]:
    with database.write() as session:
        return set(session.scalars(select(Task.id)))


def test_what_ended_long_ago_goes_and_its_product_stays(database: Database) -> None:
    old = [
        task(LONG_AGO, number, status, LONG_AGO)
        for number, status in enumerate(TaskStatus)
        if status.is_final
    ]
    product = Product(
        user_id=USER_ID, task_id=old[0].id, name="p", description="d", price=1, quantity=1, category="c"
    )
    add(database, *old, product, log_row(LONG_AGO, old[0].id), log_row(LATELY, None))

    metrics = sweep(database)

    with database.write() as session:
        assert session.scalars(select(Task.id)).all() == []
        assert session.scalars(select(Product.task_id)).all() == [product.task_id]
        assert [row.timestamp for row in session.scalars(select(RequestLog))] == [LATELY]
    assert metrics.removed.labels("tasks")._value.get() == len(old)
    assert metrics.removed.labels("requests")._value.get() == 1
    assert timedelta(seconds=metrics.oldest_age.labels("requests")._value.get()) >= timedelta(days=10)
    assert metrics.oldest_age.labels("tasks")._value.get() == 0


def test_what_is_young_or_has_not_ended_stays(database: Database) -> None:
    unended = [
        task(LONG_AGO, number, status) for number, status in enumerate(TaskStatus) if not status.is_final
    ]
    replayed = task(LONG_AGO, 8, TaskStatus.SUCCEEDED, LATELY)
    young = task(LATELY, 9, TaskStatus.FAILED, LATELY)
    add(database, *unended, replayed, young)
    expected = kept(database)

    sweep(database)

    assert kept(database) == expected
    assert len(expected) == len(unended) + 2


def test_many_that_ended_late_do_not_hide_those_behind_them(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.relay.retention.BATCH_SIZE", 3)
    monkeypatch.setattr("worker.relay.retention.SHORTEST_PAUSE_SECONDS", 0)
    late = [task(LONG_AGO, number, TaskStatus.SUCCEEDED, LATELY) for number in range(7)]
    ended = [task(LONG_AGO, number, TaskStatus.SUCCEEDED, LONG_AGO) for number in range(7, 18)]
    add(database, *late, *ended)
    expected = {one.id for one in late}
    add(database, *(log_row(LONG_AGO, None) for _ in range(10)))

    metrics = sweep(database)

    assert kept(database) == expected
    assert metrics.removed.labels("requests")._value.get() == 10


def test_accepting_and_working_go_on_while_rows_are_removed(database: Database) -> None:
    add(database, *(task(LONG_AGO, number, TaskStatus.SUCCEEDED, LONG_AGO) for number in range(50)))
    waiting = task(LONG_AGO, 99, TaskStatus.QUEUED)
    add(database, waiting, log_row(LONG_AGO, waiting.id))
    with database.write() as removing, database.write() as working:
        for _, kind in RULES:
            kind.remove(removing, NOW - MONTH, None, 500)

        working.execute(text("SET SESSION innodb_lock_wait_timeout = 1"))
        claimed = AttemptRepository(working).claim(waiting.id, "me", "me", 60)
        working.add(task(LONG_AGO, 100, TaskStatus.QUEUED))
        working.add(log_row(LONG_AGO, task_id(LONG_AGO, 100)))
        working.commit()
        removing.commit()
    assert isinstance(claimed, Attempt)
    assert kept(database) == {waiting.id, task_id(LONG_AGO, 100)}


def test_a_task_that_somebody_is_at_is_left_for_the_next_sweep(database: Database) -> None:
    failed = [task(LONG_AGO, number, TaskStatus.FAILED, LONG_AGO) for number in range(2)]
    add(database, *failed)
    with database.write() as other:
        other.execute(select(Task.id).where(Task.id == failed[0].id).with_for_update())

        sweep(database)

        assert kept(database) == {failed[0].id}
    sweep(database)
    assert kept(database) == set()


def test_sweeps_side_by_side_count_each_row_once(database: Database) -> None:
    add(database, *(task(LONG_AGO, number, TaskStatus.FAILED, LONG_AGO) for number in range(10)))
    with database.write() as first:
        removed = sum(kind.remove(first, NOW - MONTH, None, 5).removed for kind in ENDED_TASKS)
        metrics = sweep(database)
        first.commit()
    assert removed == 5
    assert metrics.removed.labels("tasks")._value.get() == 5
    assert kept(database) == set()
