import os
from pathlib import Path

import pytest

from mysql_agent.cluster import Answer
from mysql_agent.handover import Handover
from tests.unit.mysql_agent.views import in_group

TOUCHED = 1_000_000.0


@pytest.fixture
def directory(tmp_path: Path) -> Path:
    (tmp_path / "stopping").touch()
    os.utime(tmp_path / "stopping", (TOUCHED, TOUCHED))
    return tmp_path


def server_up_for(seconds: int) -> Answer:
    return in_group(0, uptime_seconds=seconds)


def handover(directory: Path | None, seconds_after_the_touch: float = 5) -> Handover:
    return Handover(directory, lambda: TOUCHED + seconds_after_the_touch, rest=lambda _: None)


def test_nothing_is_asked_for_without_the_file_or_without_a_directory(tmp_path: Path) -> None:
    for asked in (handover(tmp_path), handover(None)):
        assert asked.stopping_seconds(server_up_for(100)) is None
        assert not asked.is_asked_for()


def test_a_server_that_ran_when_the_file_was_made_is_to_be_stopped(directory: Path) -> None:
    asked = handover(directory)
    assert asked.stopping_seconds(server_up_for(100)) == 5
    assert asked.is_asked_for()
    asked.release()
    assert not asked.is_asked_for()
    assert asked.stopping_seconds(None) == 5, "it has ended, and its successor has not started"
    assert {path.name for path in directory.iterdir()} == {"stopping", "released"}


def test_a_server_that_started_later_clears_both_files(directory: Path) -> None:
    asked = handover(directory, 30)
    asked.release()
    assert asked.stopping_seconds(server_up_for(28)) is None
    assert list(directory.iterdir()) == []


def test_a_stop_that_was_called_off_leaves_nothing_released(directory: Path) -> None:
    asked = handover(directory)
    asked.release()
    (directory / "stopping").unlink()
    assert asked.stopping_seconds(server_up_for(100)) is None
    assert list(directory.iterdir()) == []


def test_a_second_of_doubt_speaks_for_the_old_server(directory: Path) -> None:
    # An uptime of 4 may be 4.99 s: the server may have been there when the file was made 5 s ago.
    assert handover(directory).stopping_seconds(server_up_for(4)) == 5


def test_before_it_releases_the_api_is_told_and_load_balancers_get_the_time_to_ask(directory: Path) -> None:
    seen: list[str] = []

    def note(what: str) -> None:
        assert not (directory / "released").exists()
        seen.append(what)

    Handover(
        directory, before_release=lambda: note("told"), rest=lambda seconds: note(f"{seconds} s")
    ).release()
    assert seen == ["told", "1.5 s"]
    assert (directory / "released").exists()
