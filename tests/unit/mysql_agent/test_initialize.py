"""Initialisation with a stand-in for mysqld; the real one runs in the stack tier."""

import json
import shlex
import signal
import stat
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog

from mysql_agent import initialize as command
from mysql_agent.accounts import account_statements, literal
from mysql_agent.datadir import MARKER, Condition, DataDirectory
from mysql_agent.initialize import InitializationError, initialize
from mysql_agent.settings import InitializeSettings

# Records its arguments and the init file, then behaves as the test wants.
STAND_IN = """
import json, os, pathlib, stat, sys
options = dict(part.lstrip("-").partition("=")[::2] for part in sys.argv[2:])
datadir, init_file = pathlib.Path(options["datadir"]), pathlib.Path(options["init-file"])
(datadir / "ibdata1").touch()
seen = {"argv": sys.argv[2:], "sql": init_file.read_text(), "mode": stat.S_IMODE(init_file.stat().st_mode)}
pathlib.Path(sys.argv[1]).write_text(json.dumps(seen))
"""


class Bench:
    """A folder for one data directory and the settings that point there."""

    def __init__(self, folder: Path) -> None:
        self.datadir = folder / "mysql-0"
        self.seen_file = folder / "seen.json"

    def settings(self, program: str = STAND_IN, **other: object) -> InitializeSettings:
        # Aliases are what the environment would carry.
        values: dict[str, object] = {
            "datadir": self.datadir,
            "defaults_file": "/etc/my.cnf",
            "command": shlex.join([sys.executable, "-c", program, str(self.seen_file)]),
            "MYSQL_AGENT_USER": "conveyor_agent",
            "MYSQL_AGENT_PASSWORD": "agent's \\ secret",
            "MYSQL_AGENT_RECOVERY_USER": "gr_recovery",
            "MYSQL_AGENT_RECOVERY_PASSWORD": "recovery-secret",
            "DB_ADMIN_USER": "admin",
            "DB_ADMIN_PASSWORD": "admin-secret",
            "DB_NAME": "load_db",
        }
        return InitializeSettings.model_validate(values | other)

    def seen(self) -> dict[str, Any]:
        return dict(json.loads(self.seen_file.read_text()))

    def beside(self) -> set[str]:
        return {path.name for path in self.datadir.parent.iterdir()} - {"mysql-0", "seen.json"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_new_directory_is_made_and_marked_and_nothing_is_left_beside_it(bench: Bench) -> None:
    assert initialize(bench.settings()) is True
    assert DataDirectory(bench.datadir).condition() is Condition.COMPLETE
    assert stat.S_IMODE(bench.datadir.stat().st_mode) == 0o700
    assert bench.beside() == set()


def test_passwords_reach_mysqld_by_a_private_file_only(bench: Bench) -> None:
    initialize(bench.settings())
    seen = bench.seen()
    assert seen["mode"] == 0o600
    assert "recovery-secret" in seen["sql"]
    assert not any("secret" in argument for argument in seen["argv"])


def test_the_defaults_file_is_the_first_option(bench: Bench) -> None:
    initialize(bench.settings())
    argv = bench.seen()["argv"]
    assert argv[0] == "--defaults-file=/etc/my.cnf"
    assert {"--initialize-insecure", "--skip-log-bin"} <= set(argv)


def test_a_complete_directory_is_never_touched(bench: Bench) -> None:
    initialize(bench.settings())
    (bench.datadir / "precious").write_text("data")
    bench.seen_file.unlink()
    assert initialize(bench.settings()) is False
    assert (bench.datadir / "precious").read_text() == "data"
    assert not bench.seen_file.exists()
    assert bench.beside() == set()


def test_a_half_made_directory_is_cleared_and_made_again(bench: Bench) -> None:
    directory = DataDirectory(bench.datadir)
    with directory.exclusive(1):
        directory.begin()
    (bench.datadir / "mysql").mkdir()
    (bench.datadir / "mysql" / "half").touch()
    (bench.datadir / "link").symlink_to(bench.datadir / "mysql")
    (bench.datadir / "ibdata0").touch()
    assert directory.condition() is Condition.HALF_MADE
    assert initialize(bench.settings()) is True
    assert {path.name for path in bench.datadir.iterdir()} == {"ibdata1", MARKER}


def test_somebody_elses_files_are_refused_and_kept(bench: Bench) -> None:
    bench.datadir.mkdir()
    (bench.datadir / "ibdata1").write_text("years of data")
    with pytest.raises(InitializationError, match="left as it is"):
        initialize(bench.settings())
    assert (bench.datadir / "ibdata1").read_text() == "years of data"


def test_only_a_half_made_directory_can_be_cleared(bench: Bench) -> None:
    initialize(bench.settings())
    with pytest.raises(ValueError, match="must not be cleared"):
        DataDirectory(bench.datadir).clear()


def test_the_lost_and_found_of_a_fresh_volume_is_no_content(bench: Bench) -> None:
    (bench.datadir / "lost+found").mkdir(parents=True)
    assert DataDirectory(bench.datadir).condition() is Condition.EMPTY


def test_a_run_that_fails_says_why_without_secrets_and_can_be_repeated(bench: Bench) -> None:
    failing = STAND_IN + (
        "log = options['log-error']\n"
        "pathlib.Path(log).write_text('start\\n[ERROR] near recovery-secret\\n[Note] rest\\n')\n"
        "sys.exit(1)\n"
    )
    with pytest.raises(InitializationError) as failure:
        initialize(bench.settings(failing))
    assert "[ERROR] near ***" in str(failure.value)
    assert "[Note]" not in str(failure.value)
    assert DataDirectory(bench.datadir).condition() is Condition.HALF_MADE
    assert bench.beside() == {"mysql-0.initializing"}
    assert initialize(bench.settings()) is True


def test_a_failure_without_a_log_is_reported_as_well(bench: Bench) -> None:
    with pytest.raises(InitializationError, match="ended with 3: it wrote no log"):
        initialize(bench.settings("import sys; sys.exit(3)"))


def test_a_program_that_does_not_exist_is_named(bench: Bench) -> None:
    with pytest.raises(InitializationError, match="set MYSQL_INIT_COMMAND"):
        initialize(bench.settings(command="/nowhere/mysqld"))
    assert bench.beside() == {"mysql-0.initializing"}


def test_a_program_that_hangs_is_ended(bench: Bench) -> None:
    with pytest.raises(InitializationError, match="MYSQL_INIT_TIMEOUT_SECONDS"):
        initialize(bench.settings("import time; time.sleep(60)", timeout_seconds=0.5))


def test_a_second_initialisation_waits_for_the_first_and_gives_up_after_a_while(bench: Bench) -> None:
    with DataDirectory(bench.datadir).exclusive(1), pytest.raises(TimeoutError, match="still holds"):
        initialize(bench.settings(timeout_seconds=0.3))


def test_the_statements_quote_every_value(bench: Bench) -> None:
    sql = account_statements(bench.settings())
    assert r"'conveyor_agent'@'%' IDENTIFIED BY 'agent''s \\ secret' REQUIRE SSL" in sql
    assert r"ON `load\_db`.* TO 'admin'@'%' WITH GRANT OPTION" in sql
    assert "${" not in sql


def test_a_literal_cannot_be_left() -> None:
    assert literal(r"a'b\c") == r"'a''b\\c'"


@pytest.fixture
def _like_a_new_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(command, "log", structlog.get_logger())  # one that was used keeps its output
    before = signal.getsignal(signal.SIGTERM)
    yield
    signal.signal(signal.SIGTERM, before)


@pytest.mark.usefixtures("_like_a_new_process")
def test_the_command_reports_what_it_did(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "InitializeSettings", lambda: bench.settings(LOG_FORMAT="json"))
    assert (command.main(), command.main()) == (0, 0)
    events = [json.loads(line)["event"] for line in capsys.readouterr().out.splitlines()]
    assert events == ["initialised", "already initialised"]


@pytest.mark.usefixtures("_like_a_new_process")
def test_the_command_fails_with_the_reason(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    bench.datadir.mkdir()
    (bench.datadir / "foreign").touch()
    monkeypatch.setattr(command, "InitializeSettings", lambda: bench.settings(LOG_FORMAT="json"))
    assert command.main() == 1
    assert "left as it is" in json.loads(capsys.readouterr().out)["event"]
