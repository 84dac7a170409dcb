"""Sweeps: what they remove at which age, how long they go on, and how they meet outages."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs
from uuid6 import uuid7

from app.retention.repository import Batch
from app.retention.task_ids import accepted_at, first_id_of
from app.settings import Settings
from tests.unit.worker.stand_ins import mysql_error
from worker.relay import retention as retention_module
from worker.relay.retention import BATCH_SIZE, MOST_BATCHES, Retention, rules_of
from worker.relay.retention_metrics import RetentionMetrics

if TYPE_CHECKING:
    from app.database.routing import Database

NOW = datetime(2026, 6, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - of the bounds


class StandIns:
    """Database, session and rows in one."""

    table = "tasks"

    def __init__(self, rows: int = 0) -> None:
        self.rows = rows
        self.asked: list[tuple[datetime, Any]] = []
        self.commits = 0
        self.error: Exception | None = None

    @contextmanager
    def write(self) -> Iterator["StandIns"]:
        if self.error:
            raise self.error
        yield self

    def commit(self) -> None:
        self.commits += 1

    def now(self) -> datetime:
        return NOW

    def oldest(self) -> dict[str, datetime | None]:
        return {"tasks": NOW - timedelta(hours=1), "requests": None}

    def remove(self, session: object, before: datetime, after: Any, limit: int) -> Batch:  # noqa: ANN401 - of any type
        assert session is self
        self.asked.append((before, after))
        found = min(limit, self.rows)
        self.rows -= found
        return Batch(found, found, self.rows)


@pytest.fixture(autouse=True)
def _stand_in_for_ages(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention_module, "AgeRepository", lambda session: session)
    monkeypatch.setattr(retention_module, "SHORTEST_PAUSE_SECONDS", 0)


def retention(stand_ins: StandIns) -> tuple[Retention, RetentionMetrics]:
    metrics = RetentionMetrics(CollectorRegistry())
    rules = [(timedelta(days=3), stand_ins)]
    return Retention(cast("Database", stand_ins), metrics, rules, clock=lambda: 0.0), metrics


def settings(tasks: int, requests: int) -> Settings:
    given = {"db_password": "unused", "task_retention_days": tasks, "request_log_retention_days": requests}
    return Settings.model_validate(given)


def test_each_table_has_its_own_age() -> None:
    ages = {(kind.table, age.days) for age, kind in rules_of(settings(90, 30))}
    assert ages == {("tasks", 90), ("requests", 30)}


def test_nothing_is_removed_where_zero_days_are_set() -> None:
    assert rules_of(settings(0, 0)) == []
    assert {kind.table for _, kind in rules_of(settings(0, 1))} == {"requests"}


def test_a_sweep_goes_on_where_the_last_batch_ended_until_one_is_not_full() -> None:
    rows = StandIns(2 * BATCH_SIZE + 1)
    sweeper, metrics = retention(rows)

    with capture_logs() as logs:
        sweeper.sweep()

    before = NOW - timedelta(days=3)
    assert rows.asked == [(before, None), (before, BATCH_SIZE + 1), (before, 1)]
    assert rows.commits == 3
    assert metrics.removed.labels("tasks")._value.get() == 2 * BATCH_SIZE + 1
    assert [(line["event"], line["rows"]) for line in logs] == [("old rows removed", 2 * BATCH_SIZE + 1)]


def test_a_sweep_ends_at_a_bound_and_the_next_one_goes_on() -> None:
    rows = StandIns((MOST_BATCHES + 1) * BATCH_SIZE)
    sweeper, _ = retention(rows)
    sweeper.sweep()
    assert rows.rows == BATCH_SIZE
    sweeper.sweep()
    assert rows.rows == 0


def test_a_sweep_with_nothing_to_do_says_nothing_and_shows_the_ages() -> None:
    sweeper, metrics = retention(StandIns())
    with capture_logs() as logs:
        sweeper.sweep()
    assert logs == []
    assert metrics.oldest_age.labels("tasks")._value.get() == 3600
    assert metrics.oldest_age.labels("requests")._value.get() == 0


def test_an_order_to_stop_ends_a_sweep_after_its_batch() -> None:
    rows = StandIns(10 * BATCH_SIZE)
    sweeper, _ = retention(rows)
    sweeper.stop()
    sweeper.sweep()
    assert rows.rows == 9 * BATCH_SIZE


def test_an_outage_is_told_of_once_and_outlived() -> None:
    rows = StandIns(1)
    sweeper, _ = retention(rows)
    rows.error = mysql_error(2013)
    with capture_logs() as logs:
        sweeper.sweep()
        sweeper.sweep()
        rows.error = None
        sweeper.sweep()
    assert [line["event"] for line in logs] == ["retention held up, going on trying", "old rows removed"]


@given(MOMENTS)
def test_an_id_bound_lies_between_the_ids_of_before_and_after(moment: datetime) -> None:
    def last_id_of(one: datetime) -> str:
        return str(UUID(int=UUID(first_id_of(one)).int | 2**80 - 1))

    assert last_id_of(moment - MILLISECOND) < first_id_of(moment) <= last_id_of(moment)
    assert abs(accepted_at(last_id_of(moment)) - moment) <= MILLISECOND


def test_the_time_of_a_task_is_read_from_its_id() -> None:
    before = datetime.now(UTC)
    made_at = accepted_at(str(uuid7()))
    assert abs(made_at - before) < timedelta(minutes=1)
