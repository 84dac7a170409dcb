"""The page for a person on call says in words what is lost, late or unknown."""

import html
import re

import pytest

from app.cluster.schemas import MySQLStatus, QueueStatus
from app.dashboard.operations import OperationsPage, member_row, queue_rows, read_watched
from app.dashboard.pages import Pages
from app.dashboard.static_files import Assets
from app.dashboard.task_row import TaskRow
from app.operations.schemas import FailedTasks, OperationsStatus
from tests.unit.dashboard.operations_status import FAILED_ID, NOW, failed_task, member, working

PAGES = Pages(Assets(), "api-7", None)
REFUSED = "ConnectionError: refused"


def rendered(status: OperationsStatus, *watched: TaskRow) -> str:
    """Return the page's section as HTML."""
    return PAGES.render("_operations_news.html", page=OperationsPage.of(status, watched, NOW), now=NOW)


def words(status: OperationsStatus, *watched: TaskRow) -> str:
    """Return what is to be read on the page."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", rendered(status, *watched))).split())


def section(text: str, begin: str, end: str) -> str:
    return text.partition(begin)[2].partition(end)[0]


def test_a_system_that_works_says_so() -> None:
    said = words(working())
    assert "Everything works" in said
    assert "at 12:00:30 UTC , as api-7 sees it" in said
    assert "No task has failed." in said
    assert "14 ended in the last 3 minutes" in said


def test_problems_are_listed_on_top() -> None:
    said = words(working(problems=["mysql-1:3306 is lost: it is not in the group"], status="degraded"))
    assert said.startswith("Degraded mysql-1:3306 is lost")


@pytest.mark.parametrize(
    ("part", "consequence"),
    [
        ("queues", "Accepted tasks wait in the ledger."),
        ("workers", "Who is alive is not known."),
        ("mysql", "Who is in the group is not known."),
        ("ledger", "What failed is not known."),
        ("ended", "How many tasks ended is not known."),
    ],
)
def test_a_part_that_does_not_answer_is_named_with_what_follows(part: str, consequence: str) -> None:
    who = "Redis" if part in {"queues", "workers"} else "MySQL"
    assert f"{who} does not answer: {REFUSED}. {consequence}" in words(working(unknown={part: REFUSED}))


def test_nothing_at_all_is_known_and_every_place_says_so() -> None:
    parts = ("redis", "workers", "queues", "unacknowledged", "mysql", "ledger", "ended")
    status = working(
        unknown=dict.fromkeys(parts, REFUSED),
        workers=[],
        queues=[],
        ended=[],
        unacknowledged=None,
        **dict.fromkeys(("outbox", "failed", "backup")),
        mysql=MySQLStatus(up=False, members=[], error=REFUSED),
    )
    said = words(status)
    assert said.count("Unknown") == 6
    assert said.count("is not known.") == 4
    assert "No task has failed" not in said
    assert "No worker is known" not in said


def test_a_failed_task_is_shown_with_its_error_and_a_button_that_asks_first() -> None:
    shown = rendered(working(failed=FailedTasks(count=1, newest=[failed_task("ValueError: <b>")])))
    assert "ValueError: &lt;b&gt;" in shown
    assert 'hx-confirm="Replay this task? It runs again with all its attempts."' in shown
    assert f'name="task_id" value="{FAILED_ID}"' in shown
    assert "replay-all" not in shown


def test_of_many_failed_tasks_the_page_says_how_many_it_shows() -> None:
    said = words(working(failed=FailedTasks(count=40, newest=[failed_task(), failed_task()])))
    assert "Failed tasks, the newest 2 of 40" in said
    assert "Replay these 2" in said


def test_a_replayed_task_is_watched_and_no_longer_among_the_failed() -> None:
    row = TaskRow.of(failed_task(), NOW, "primary")
    said = rendered(working(failed=FailedTasks(count=1, newest=[failed_task()])), row)
    assert f"watched={FAILED_ID}" in said
    assert "Replayed from here" in said
    assert "No other task has failed." in said
    assert f'id="failed-{FAILED_ID}"' not in said


@pytest.mark.parametrize(
    ("state", "role", "said"),
    [
        ("ONLINE", "PRIMARY", ("mysql-1:3306", "primary", "Online", "", "ok")),
        ("ONLINE", "SECONDARY", ("mysql-1:3306", "replica", "Online", "7 transactions", "ok")),
        (
            "RECOVERING",
            "SECONDARY",
            ("mysql-1:3306", "replica", "Recovering: it catches up before it serves", "", "warn"),
        ),
        (
            "UNREACHABLE",
            "SECONDARY",
            ("mysql-1:3306", "replica", "Unreachable: the group does not hear it", "", "bad"),
        ),
        ("MISSING", "", ("mysql-1:3306", "", "Lost: it is not in the group", "", "bad")),
        ("ODD", "", ("mysql-1:3306", "", "ODD", "", "bad")),
    ],
)
def test_every_state_of_a_member_has_words(state: str, role: str, said: tuple[str, ...]) -> None:
    assert tuple(member_row(member("mysql-1", role, state, lag=7))) == said


def test_a_replica_that_has_applied_everything_is_level() -> None:
    assert member_row(member("mysql-1", "SECONDARY")).behind == "level"


def test_a_server_without_a_group_is_no_blank() -> None:
    assert "One server, which is in no group. It answers." in words(
        working(mysql=MySQLStatus(up=True, members=[]))
    )


def test_a_queue_that_nobody_takes_from_stands_out() -> None:
    queues = [
        QueueStatus(name="default", depth=0, oldest_age_seconds=None),
        QueueStatus(name="mail", depth=1200, oldest_age_seconds=75),
        QueueStatus(name="odd", depth=1, oldest_age_seconds=None),
    ]
    rows = queue_rows(working(queues=queues))
    assert [tuple(row) for row in rows] == [
        ("default", "0", "", "1 worker", "ok"),
        ("mail", "1,200", "1 min 15 s", "nobody", "bad"),
        ("odd", "1", "unknown", "nobody", "bad"),
    ]


def test_what_a_browser_makes_up_as_a_list_is_left_out() -> None:
    assert read_watched(f"{FAILED_ID},<b>,,x") == [FAILED_ID]
    assert len(read_watched(",".join([FAILED_ID] * 500))) == 10
