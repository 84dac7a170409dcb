from pathlib import Path

import pytest

from stack.commands import duration
from stack.credentials import load_credentials, write_private
from stack.log import Log, coloured, name_of, plain
from stack.packages import parse_version
from stack.runner import backoff
from stack.sessions import Identity
from stack.state import ServiceState, StackState, read_state, write_state


def test_passwords_are_drawn_once_and_readable_by_their_user_alone(tmp_path: Path) -> None:
    path = tmp_path / "state" / "secrets.json"
    first = load_credentials(path)
    assert load_credentials(path) == first
    assert path.stat().st_mode & 0o777 == 0o600
    assert len(set(vars(first).values())) == len(vars(first))


def test_the_group_password_fits_into_mysqls_column(tmp_path: Path) -> None:
    assert len(load_credentials(tmp_path / "secrets.json").recovery_password) <= 32


def test_a_private_file_replaces_a_readable_one(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, "new")
    assert (path.read_text(), path.stat().st_mode & 0o777) == ("new", 0o600)


def test_the_state_reads_back_as_it_was_written(tmp_path: Path) -> None:
    state = StackState(
        Identity(1, 2.5),
        {"http": 8090},
        "ready",
        "",
        {"redis": ServiceState("ready", "", Identity(3, 4.5), 2)},
    )
    state.services["migrate"] = ServiceState("done")
    write_state(tmp_path, state)
    assert read_state(tmp_path) == state
    assert state.sessions == [Identity(3, 4.5)]


def test_a_directory_without_a_state_has_none(tmp_path: Path) -> None:
    assert read_state(tmp_path) is None


def test_the_log_names_each_line_and_remembers_each_part(tmp_path: Path) -> None:
    log = Log(tmp_path / "log")
    log.write("api-1", "first\n")
    log.write("redis", "other\n")
    log.write("api-1", "second\n")
    log.close()
    lines = (tmp_path / "log").read_text().splitlines()
    assert [name_of(line) for line in lines] == ["api-1", "redis", "api-1"]
    assert log.tail("api-1", 1) == ["second"]
    assert log.tail("unknown", 5) == []


def test_the_log_never_outgrows_twice_its_bound(tmp_path: Path) -> None:
    log = Log(tmp_path / "log", max_bytes=1000)
    for number in range(200):
        log.write("api-1", f"line {number}")
    log.close()
    files = sorted(path.name for path in tmp_path.iterdir())
    assert files == ["log", "log.1"]
    assert all((tmp_path / name).stat().st_size < 1100 for name in files)
    assert "line 199" in (tmp_path / "log").read_text() + (tmp_path / "log.1").read_text()


def test_colour_comes_and_goes_without_changing_the_text() -> None:
    line = "12:00:00 api-1        | {a | b}"
    assert coloured(line) != line
    assert plain(coloured(line)) == line
    assert coloured("no prefix") == "no prefix"


def test_restarts_slow_down_to_a_bound() -> None:
    pauses = [backoff(deaths) for deaths in range(1, 10)]
    assert pauses[:3] == [0.2, 0.4, 0.8]
    assert pauses[-1] == 10


@pytest.mark.parametrize(
    ("output", "version"),
    [
        ("/usr/sbin/mysqld  Ver 9.7.4-2 for Linux on x86_64 ((Debian))", (9, 7)),
        ("Redis server v=8.0.6 sha=00000000:0 malloc=jemalloc-5.3.1 bits=64", (8, 0)),
        ("HAProxy version 3.2.26-1 2026/10/14 - https://haproxy.org/", (3, 2)),
        ("prometheus, version 3.5.3+ds1 (branch: debian/sid)", (3, 5)),
        ("usage: something", None),
    ],
)
def test_the_version_a_daemon_prints_is_understood(output: str, version: tuple[int, int] | None) -> None:
    assert parse_version(output) == version


@pytest.mark.parametrize(("seconds", "text"), [(59.9, "59 s"), (61, "1 min 01 s"), (3700, "1 h 01 min")])
def test_a_duration_is_short(seconds: float, text: str) -> None:
    assert duration(seconds) == text
