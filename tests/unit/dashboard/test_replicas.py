"""Which replicas a browser has seen."""

from datetime import UTC, datetime

from app.dashboard.replicas import add_seen, as_replicas, read_seen, seen_in_log, write_seen
from app.models import RequestLog


def test_what_is_written_is_read_back() -> None:
    seen = {"api-1": 100, "conveyor-api-5d9f.x": 101}
    assert read_seen(write_seen(seen), now=105) == seen


def test_a_replica_that_is_silent_is_forgotten() -> None:
    assert read_seen("api-1:100,api-2:119", now=125) == {"api-2": 119}


def test_what_a_browser_makes_up_is_left_out() -> None:
    assert read_seen("<b>:100,api-1,api-2:soon,:,api-3:999,api-4:100", now=100) == {"api-4": 100}


def test_a_list_without_end_is_cut() -> None:
    assert len(read_seen(",".join(f"api-{n}:100" for n in range(500)), now=100)) == 12


def test_the_replica_that_answers_now_is_marked() -> None:
    seen = add_seen({"api-2": 100}, "api-1", now=101.7)
    assert [(one.name, one.answered_now) for one in as_replicas(seen, "api-1")] == [
        ("api-1", True),
        ("api-2", False),
    ]


def test_a_fresh_page_begins_with_the_replicas_in_the_log() -> None:
    rows = [
        RequestLog(server_id=name, timestamp=datetime.fromtimestamp(moment, UTC))
        for name, moment in (("api-1", 119), ("celery-worker", 118), ("api-1", 117), ("api-2", 90))
    ]
    assert seen_in_log(rows, now=120) == {"api-1": 119}
