"""The figures on top of the operations page, in every state."""

from datetime import timedelta

import pytest

from app.cluster.schemas import QueueStatus
from app.dashboard.figures import Figure, figures, silence
from app.operations.problems import LONG_WAIT_SECONDS
from app.operations.repository import MOST_COUNTED_FAILED
from app.operations.schemas import BackupStatus, FailedTasks, OperationsStatus, OutboxStatus
from docs.alerts import alerts
from tests.unit.dashboard.operations_status import NOW, failed_task, minutes, working

DAY = 86_400


def figure(title: str, status: OperationsStatus) -> Figure:
    return next(one for one in figures(status, NOW) if one.title == title)


def test_a_system_at_rest_says_so_without_alarm() -> None:
    shown = figures(working(), NOW)
    assert [(one.title, one.value) for one in shown] == [
        ("Oldest message", "none"),
        ("With workers", "0"),
        ("Outbox", "0"),
        ("Ended", "8"),
        ("Failed", "0"),
        ("Last backup", "none"),
    ]
    assert not {one.tone for one in shown} & {"warn", "bad"}


def test_the_oldest_message_of_all_queues_is_shown() -> None:
    queues = [
        QueueStatus(name="default", depth=3, oldest_age_seconds=4.25),
        QueueStatus(name="mail", depth=1, oldest_age_seconds=95),
    ]
    assert figure("Oldest message", working(queues=queues))[1:3] == ("1 min 35 s", "4 messages waiting")


@pytest.mark.parametrize(("age", "tone"), [(300, "ok"), (301, "warn")])
def test_a_message_that_waits_stands_out_when_the_alert_is_due(age: float, tone: str) -> None:
    queues = [QueueStatus(name="default", depth=1, oldest_age_seconds=age)]
    assert figure("Oldest message", working(queues=queues)).tone == tone
    [alert] = (one for one in alerts() if one.name == "ConveyorQueueWaits")
    assert alert.expression.endswith(f"> {LONG_WAIT_SECONDS}")


def test_a_foreign_message_has_no_age() -> None:
    queues = [QueueStatus(name="default", depth=1, oldest_age_seconds=None)]
    assert figure("Oldest message", working(queues=queues))[1:3] == ("?", "1 message waiting")


def test_messages_without_a_worker_alive_are_grave() -> None:
    assert figure("With workers", working(unacknowledged=3, workers=[]))[1:] == (
        "3",
        "unacknowledged; 0 workers alive",
        "bad",
    )


@pytest.mark.parametrize(("age", "tone"), [(2, "warn"), (59, "warn"), (60, "bad")])
def test_the_outbox_is_grave_after_a_minute(age: float, tone: str) -> None:
    shown = figure("Outbox", working(outbox=OutboxStatus(pending=1200, oldest_age_seconds=age)))
    assert (shown.value, shown.tone) == ("1,200", tone)
    assert shown.note.startswith("unpublished, oldest due for ")


def test_throughput_is_that_of_the_last_minute_that_is_over() -> None:
    assert figure("Ended", working(ended=minutes(1, 12_345, 7)))[1:3] == (
        "12,345",
        "in the minute from 11:59 UTC",
    )


@pytest.mark.parametrize(("minutes_ago", "tone"), [(5, "warn"), (90, "idle")])
def test_failures_of_the_last_hour_stand_out(minutes_ago: float, tone: str) -> None:
    failed = FailedTasks(count=3, newest=[failed_task(minutes_ago=200), failed_task(minutes_ago=minutes_ago)])
    shown = figure("Failed", working(failed=failed))
    assert (shown.value, shown.tone) == ("3", tone)


def test_a_count_that_stopped_says_so() -> None:
    for count, said in ((MOST_COUNTED_FAILED - 1, "999"), (MOST_COUNTED_FAILED, "1,000 or more")):
        shown = figure("Failed", working(failed=FailedTasks(count=count, newest=[failed_task()])))
        assert shown.value == said


@pytest.mark.parametrize(
    ("backup", "said", "tone"),
    [
        ((None, 0), ("none", "none is expected"), "idle"),
        ((None, DAY), ("none", "one is expected"), "bad"),
        ((3600, DAY), ("1 h ago", "1.2 GB"), "ok"),
        ((2 * DAY, DAY), ("2 d ago", "1.2 GB"), "bad"),
        ((2 * DAY, 0), ("2 d ago", "1.2 GB"), "ok"),
    ],
)
def test_a_backup_is_judged_by_what_is_expected(
    backup: tuple[float | None, int], said: tuple[str, str], tone: str
) -> None:
    age, most = backup
    taken_at = None if age is None else NOW - timedelta(seconds=age)
    shown = figure(
        "Last backup",
        working(
            backup=BackupStatus(
                taken_at=taken_at,
                bytes=None if age is None else 1_240_000_000,
                age_seconds=age,
                max_age_seconds=most,
            )
        ),
    )
    assert (shown[1:3], shown.tone) == (said, tone)


@pytest.mark.parametrize(
    ("title", "part", "change"),
    [
        ("Oldest message", "queues", {"queues": []}),
        ("With workers", "unacknowledged", {"unacknowledged": None}),
        ("Outbox", "ledger", {"outbox": None}),
        ("Ended", "ended", {"ended": []}),
        ("Failed", "ledger", {"failed": None}),
        ("Last backup", "ledger", {"backup": None}),
    ],
)
def test_what_is_not_known_is_never_a_number(title: str, part: str, change: dict[str, object]) -> None:
    shown = figure(title, working(unknown={part: "ConnectionError: refused"}, **change))
    who = "Redis" if part in {"queues", "unacknowledged"} else "MySQL"
    assert shown[1:] == ("Unknown", f"{who} does not answer", "bad")


def test_silence_is_told_from_refusal_and_from_too_much_work() -> None:
    assert silence("queues", "no answer within 2 s") == "Redis gave no answer within 2 s."
    assert silence("ended", "no answer within 2 s") == "MySQL gave no answer within 2 s."
    too_long = "(3024, 'Query execution was interrupted, maximum statement execution time exceeded')"
    assert silence("ended", f"OperationalError: {too_long}") == "MySQL would need too long to count."
