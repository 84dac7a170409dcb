"""What a person on call is told of tasks and backups."""

from datetime import UTC, datetime, timedelta

import pytest

from app.models import Backup
from app.operations.problems import backup_problems, outbox_problems
from app.operations.schemas import BackupStatus, OutboxStatus
from app.operations.service import backup_status
from app.operations.throughput import (
    SHOWN_MINUTES,
    SucceededMinutes,
    ended_minutes,
    minute_of,
    shown_minutes,
    start_of,
)

NOW = 1000
HOUR = 3600
MOMENT = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)


def test_the_present_minute_is_the_last_of_those_shown() -> None:
    minutes = shown_minutes(minute_of(MOMENT + timedelta(seconds=59)))
    assert len(minutes) == SHOWN_MINUTES
    assert start_of(minutes[-1]) == MOMENT


def test_a_minute_that_is_over_is_counted_once() -> None:
    succeeded = SucceededMinutes()
    first = succeeded.first_to_count(NOW)
    assert first == shown_minutes(NOW)[0]
    succeeded.add({NOW - 30: 5, NOW: 1}, first, NOW)
    assert succeeded.first_to_count(NOW) == NOW - 1
    later = succeeded.add({NOW - 1: 2, NOW: 3}, NOW - 1, NOW)
    assert (later[NOW - 30], later[NOW - 1], later[NOW]) == (5, 2, 3)


def test_a_replica_that_is_behind_settles_nothing_that_it_has_not_shown() -> None:
    succeeded = SucceededMinutes()
    # its newest row is ten minutes old: what came after may still arrive
    succeeded.add({NOW - 20: 5, NOW - 10: 1}, succeeded.first_to_count(NOW), NOW)
    assert succeeded.first_to_count(NOW) == NOW - 11
    assert succeeded.add({NOW - 11: 1, NOW - 10: 4}, NOW - 11, NOW)[NOW - 10] == 4


def test_a_quiet_system_settles_nothing_and_shows_zeros() -> None:
    succeeded = SucceededMinutes()
    shown = succeeded.add({}, succeeded.first_to_count(NOW), NOW)
    assert set(shown.values()) == {0}
    assert succeeded.first_to_count(NOW) == shown_minutes(NOW)[0]


def test_what_is_no_longer_shown_is_forgotten() -> None:
    succeeded = SucceededMinutes()
    succeeded.add({NOW - 5: 1, NOW: 1}, shown_minutes(NOW)[0], NOW)
    shown = succeeded.add({NOW + 100: 2}, NOW + 41, NOW + 100)
    assert min(shown) == NOW + 41
    assert sum(shown.values()) == 2


def test_who_goes_through_the_minutes_is_not_disturbed_by_another_thread() -> None:
    succeeded = SucceededMinutes()
    held = succeeded._settled
    succeeded.add({NOW - 5: 1, NOW: 1}, shown_minutes(NOW)[0], NOW)
    assert held == {}


def test_outcomes_stand_side_by_side() -> None:
    (minute,) = ended_minutes([NOW], {NOW: 3}, {NOW: 2}, {NOW - 1: 9})
    assert (minute.succeeded, minute.failed, minute.cancelled) == (3, 2, 0)


@pytest.mark.parametrize("outbox", [None, OutboxStatus(pending=5, oldest_age_seconds=59)])
def test_what_the_relay_will_publish_is_no_problem(outbox: OutboxStatus | None) -> None:
    assert outbox_problems(outbox) == []


@pytest.mark.parametrize(("pending", "who"), [(1, "1 accepted task has"), (7, "7 accepted tasks have")])
def test_tasks_that_reach_no_queue_are_a_problem(pending: int, who: str) -> None:
    assert outbox_problems(OutboxStatus(pending=pending, oldest_age_seconds=75.4)) == [
        f"{who} reached no queue for 75 s: Redis or the relays are down"
    ]


def backup(age_seconds: float | None, most: int) -> BackupStatus:
    return BackupStatus(taken_at=None, bytes=None, age_seconds=age_seconds, max_age_seconds=most)


@pytest.mark.parametrize("known", [None, backup(None, 0), backup(HOUR, 26 * HOUR), backup(99 * HOUR, 0)])
def test_a_backup_that_nobody_expects_or_that_is_fresh_is_no_problem(known: BackupStatus | None) -> None:
    assert backup_problems(known) == []


def test_a_backup_that_is_missing_or_old_is_a_problem() -> None:
    assert backup_problems(backup(None, 26 * HOUR)) == ["there is no backup yet"]
    assert backup_problems(backup(30 * HOUR, 26 * HOUR)) == [
        "the last backup is 30 h old, more than the 26 h that are allowed"
    ]


def test_a_backup_is_shown_with_its_age() -> None:
    taken = Backup(name="b", taken_at=MOMENT - timedelta(hours=2), bytes=77)
    shown = backup_status(taken, 26 * HOUR, MOMENT)
    assert (shown.age_seconds, shown.bytes, shown.max_age_seconds) == (2 * HOUR, 77, 26 * HOUR)
    assert backup_status(None, 0, MOMENT).taken_at is None
