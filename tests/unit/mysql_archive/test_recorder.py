"""What a run adds to the archive, and that it adds nothing when anything is wrong."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from mysql_agent.gtids import GtidSet
from mysql_archive.events import Commit, Event, EventError
from mysql_archive.folder import Archive, History
from mysql_archive.recorder import OtherHistoryError, Recorder
from tests.unit.mysql_archive.log_of_events import BEGIN, SOURCE, event, gtid_event, head, transaction


@pytest.fixture
def history(tmp_path: Path) -> History:
    return Archive(tmp_path).begin(BEGIN)


def record(history: History, *events: Event, known: Commit | None = None, second: int = 0) -> int:
    entries = history.entries()
    held = entries[-1].position if entries else GtidSet()
    return Recorder(history, held, known, BEGIN + timedelta(seconds=second)).record(events)


def test_every_file_of_the_server_becomes_one_that_begins_like_it(history: History) -> None:
    events = [*head(), *transaction(1, 1), *transaction(2, 2), *head(), *transaction(3, 3)]
    assert record(history, *events) == 3
    first, second = history.entries()
    assert (first.after, first.through, first.last_gtid) == ("", f"{SOURCE}:1-2", f"{SOURCE}:2")
    assert (second.after, second.through) == (f"{SOURCE}:1-2", f"{SOURCE}:1-3")
    assert [one.raw for one in history.events(first)] == [one.raw for one in events[1:9]]


def test_a_run_without_news_writes_nothing(history: History) -> None:
    assert record(history, *head()) == 0
    assert list(history.folder.iterdir()) == []


def test_the_next_run_shows_that_the_history_is_the_same(history: History) -> None:
    record(history, *head(), *transaction(1, 1))
    known = history.entries()[-1].last
    assert record(history, *head(), *transaction(1, 1), *transaction(2, 2), known=known, second=9) == 1
    assert [entry.through for entry in history.entries()] == [f"{SOURCE}:1", f"{SOURCE}:1-2"]


@pytest.mark.parametrize("again", [[], transaction(1, 77)])
def test_a_database_that_was_made_anew_is_noticed(history: History, again: list[Event]) -> None:
    record(history, *head(), *transaction(1, 1))
    known = history.entries()[-1].last
    with pytest.raises(OtherHistoryError):
        record(history, *head(), *again, *transaction(2, 78), known=known, second=9)
    assert len(history.entries()) == 1


def broken() -> Iterator[Event]:
    yield from [*head(), *transaction(1, 1), gtid_event(2, 2)]
    raise ConnectionResetError


def test_a_run_that_breaks_off_leaves_nothing(history: History) -> None:
    with pytest.raises(ConnectionResetError):
        Recorder(history, GtidSet(), None, BEGIN).record(broken())
    assert list(history.folder.iterdir()) == []


@pytest.mark.parametrize("events", [[*head(), event(16)], [*head()[:2], *transaction(1, 1)]])
def test_what_mysqld_could_not_replay_is_refused(history: History, events: list[Event]) -> None:
    with pytest.raises(EventError):
        record(history, *events)
    assert list(history.folder.iterdir()) == []


def test_a_file_that_the_volume_damaged_is_not_read(history: History) -> None:
    record(history, *head(), *transaction(1, 1))
    [entry] = history.entries()
    path = history.folder / entry.file
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(EventError, match="damaged"):
        list(history.events(entry))


def test_what_a_killed_run_left_goes_and_so_does_what_is_old(history: History, tmp_path: Path) -> None:
    record(history, *head(), *transaction(1, 1))
    (history.folder / "a.part").touch()
    (history.folder / "b.binlog").touch()
    history.clear_leftovers()
    assert {path.suffix for path in history.folder.iterdir()} == {".json", ".binlog"}
    history.cover(BEGIN)
    Archive(tmp_path).forget_before(BEGIN)
    assert len(history.entries()) == 1
    Archive(tmp_path).forget_before(BEGIN + timedelta(seconds=2))
    assert Archive(tmp_path).histories() == []
