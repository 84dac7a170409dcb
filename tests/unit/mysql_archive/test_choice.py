"""Which way leads to a second, and what is said where none does."""

import gzip
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from mysql_agent.gtids import GtidSet
from mysql_archive.choice import Dump, NoWayError, find_way
from mysql_archive.folder import Archive, History
from mysql_archive.plan import dumps, position_of, written
from mysql_archive.recorder import Recorder
from tests.unit.mysql_archive.log_of_events import BEGIN, SOURCE, head, transaction


def at(second: float) -> datetime:
    return BEGIN + timedelta(seconds=second)


def dump(through: int, second: float) -> Dump:
    return Dump(f"dump-{through}", at(second), GtidSet.parse(f"{SOURCE}:1-{through}"))


@pytest.fixture
def history(tmp_path: Path) -> History:
    """Two files: transactions 1 to 4, committed each 100 s, and 5 to 8."""
    history = Archive(tmp_path).begin(BEGIN)
    for first in (1, 5):
        events = [event for number in range(first, first + 4) for event in transaction(number, number * 100)]
        held = history.entries()[-1].position if first > 1 else GtidSet()
        Recorder(history, held, None, at(first)).record([*head(), *events])
    history.cover(at(1000))
    return history


@pytest.mark.parametrize(
    ("second", "stop", "files"),
    [(300, 4, 1), (399.999999, 4, 1), (400, 5, 2), (450, 5, 2), (799, 8, 2), (800, None, 2), (999, None, 2)],
)
def test_the_way_ends_before_the_first_commit_after_the_second(
    history: History, second: float, stop: int | None, files: int
) -> None:
    way = find_way([dump(2, 250)], [history], at(second))
    assert way.stop_before == (f"{SOURCE}:{stop}" if stop else None)
    assert str(way.position) == f"{SOURCE}:1-{stop - 1 if stop else 8}"
    assert len(way.files) == files


def test_a_dump_that_has_it_all_needs_no_archive(history: History) -> None:
    way = find_way([dump(4, 450)], [history], at(460))
    assert str(way.position) == f"{SOURCE}:1-4"
    assert way.stop_before == f"{SOURCE}:5"


def test_the_newest_dump_before_the_second_is_taken(history: History) -> None:
    assert find_way([dump(2, 250), dump(6, 650), dump(5, 550)], [history], at(610)).dump.name == "dump-5"


def test_a_dump_that_reaches_beyond_the_second_is_passed_over(history: History) -> None:
    # begun at 350, but its snapshot waited until 4 was committed
    assert find_way([dump(2, 250), dump(4, 350)], [history], at(390)).dump.name == "dump-2"


def test_no_way_is_explained(history: History, tmp_path: Path) -> None:
    with pytest.raises(NoWayError, match="there is none at all"):
        find_way([], [history], at(300))
    with pytest.raises(NoWayError, match=r"the oldest is of 2026-01-01T00:04:10"):
        find_way([dump(2, 250)], [history], at(200))
    with pytest.raises(
        NoWayError, match=r"the archive ends at 2026-01-01T00:16:40.*choose an earlier second"
    ):
        find_way([dump(2, 250)], [history], at(1001))
    with pytest.raises(NoWayError, match="another history"):
        find_way([dump(2, 900)], [history], at(950))
    with pytest.raises(NoWayError, match="the archive is empty"):
        find_way([dump(2, 250)], [Archive(tmp_path / "other").begin(BEGIN)], at(300))


def test_a_gap_between_dump_and_archive_is_no_way(history: History) -> None:
    history.forget_before(at(401))
    with pytest.raises(NoWayError, match="are not archived"):
        find_way([dump(2, 250)], [history], at(700))
    assert find_way([dump(4, 450)], [history], at(700)).stop_before == f"{SOURCE}:8"


def test_the_plan_is_what_a_shell_reads(history: History) -> None:
    way = find_way([dump(2, 250)], [history], at(450))
    lines = written(way, at(450)).splitlines()
    assert "RESULT=conveyor-20260101T000730Z-point-in-time.sql.gz" in lines
    assert f"STOP_BEFORE={SOURCE}:5" in lines
    assert "RESULT=conveyor-20260101T000730.500000Z-point-in-time.sql.gz" in written(way, at(450.5))


def test_a_dump_says_which_transactions_are_in_it(tmp_path: Path) -> None:
    said = f"/* SET @@GLOBAL.GTID_PURGED='+{SOURCE}:1-5,\n{SOURCE[:-1]}2:7';*/\n"
    named = {"conveyor-20260101T000410Z.sql.gz": said, "conveyor-20260101T000411Z.sql.gz": "without"}
    for name, text in named.items():
        (tmp_path / name).write_bytes(gzip.compress(text.encode()))
    (tmp_path / "conveyor-20260101T000412Z-point-in-time.sql.gz").write_bytes(gzip.compress(said.encode()))
    damaged = tmp_path / "conveyor-20260101T000413Z.sql.gz"
    damaged.write_bytes(b"no gzip")
    assert position_of(damaged) is None
    [found] = dumps(tmp_path)
    assert (found.name, found.begun) == ("conveyor-20260101T000410Z.sql.gz", at(250))
    assert str(found.position) == f"{SOURCE}:1-5,{SOURCE[:-1]}2:7"
