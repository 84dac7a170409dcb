"""A task's row: what it says, and when it stops asking."""

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from app.dashboard.task_row import BADGES, TaskRow, poll_interval
from app.models import TaskStatus
from app.tasks.schemas import TaskView

NOW = datetime(2026, 1, 2, 12, 0, tzinfo=UTC)
ID = "0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77"


def task(
    status: TaskStatus, *, due: float = 0, started: float | None = None, error: str | None = None
) -> TaskView:
    """Build a task that became due, and was started, so many seconds ago."""
    started_at = None if started is None else NOW - timedelta(seconds=started)
    return TaskView(
        task_id=UUID(ID),
        name="create_product_from_user",
        queue="default",
        status=status,
        attempts=1 if started is not None else 0,
        max_attempts=4,
        payload={},
        result=None,
        error=error,
        worker=None,
        accepted_by="api-1",
        created_at=NOW - timedelta(seconds=due),
        available_at=NOW - timedelta(seconds=due),
        started_at=started_at,
        finished_at=None,
        queue_wait_seconds=None,
        run_seconds=None,
    )


def row(view: TaskView) -> TaskRow:
    return TaskRow.of(view, NOW, "replica")


@pytest.mark.parametrize("status", list(TaskStatus))
def test_every_status_has_an_icon_and_a_word(status: TaskStatus) -> None:
    assert all(BADGES[status])


@pytest.mark.parametrize("status", [status for status in TaskStatus if status.is_final])
def test_the_row_of_a_task_that_has_ended_asks_no_more(status: TaskStatus) -> None:
    ended = row(task(status, due=1))
    assert ended.poll is None
    assert not ended.given_up


@pytest.mark.parametrize(
    ("due", "interval"), [(0, "500ms"), (9.9, "500ms"), (10, "3s"), (59, "3s"), (60, None)]
)
def test_a_queued_row_asks_less_and_less_often(due: float, interval: str | None) -> None:
    assert poll_interval(task(TaskStatus.QUEUED, due=due), NOW) == interval


def test_a_row_that_has_given_up_says_so() -> None:
    assert row(task(TaskStatus.QUEUED, due=61)).given_up


def test_a_clock_slightly_ahead_of_ours_does_not_slow_a_new_row_down() -> None:
    assert poll_interval(task(TaskStatus.QUEUED, due=-0.5), NOW) == "500ms"


def test_a_running_row_asks_until_the_end_however_long_it_takes() -> None:
    assert poll_interval(task(TaskStatus.RUNNING, due=3600, started=3600), NOW) == "3s"


def test_a_row_that_waits_for_its_next_attempt_asks_calmly() -> None:
    assert poll_interval(task(TaskStatus.RETRYING, due=-55, started=5), NOW) == "3s"


def test_silence_is_told_from_the_tenth_second() -> None:
    assert row(task(TaskStatus.QUEUED, due=9.9)).unanswered is None
    assert row(task(TaskStatus.QUEUED, due=14)).unanswered == "14 s"


def test_a_running_task_has_been_answered() -> None:
    assert row(task(TaskStatus.RUNNING, due=30, started=20)).unanswered is None


def test_a_retrying_row_says_what_failed_and_when_the_next_attempt_is() -> None:
    retrying = row(task(TaskStatus.RETRYING, due=-43, started=17, error="ValueError: no"))
    assert retrying.outcome == "Attempt 1 of 4 failed: ValueError: no. The next one is due in 43 s."


def test_only_a_failed_task_can_be_replayed_and_only_an_open_one_cancelled() -> None:
    rows = {status: row(task(status)) for status in TaskStatus}
    assert [status for status in TaskStatus if rows[status].can_replay] == [TaskStatus.FAILED]
    assert [status for status in TaskStatus if rows[status].can_cancel] == [
        TaskStatus.QUEUED,
        TaskStatus.RUNNING,
        TaskStatus.RETRYING,
    ]


def test_a_failed_row_shows_the_error() -> None:
    assert row(task(TaskStatus.FAILED, error="there is no user 9")).outcome == "there is no user 9"
