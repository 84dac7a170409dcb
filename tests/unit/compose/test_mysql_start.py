"""docker/mysql/start.sh with a stand-in for mysqld that notes how it was called."""

import os
import subprocess
from pathlib import Path

import pytest

from mysql_agent.accounts import account_statements
from mysql_agent.settings import InitializeSettings
from tests.unit.compose.conftest import ROOT

MYSQLD = """#!/usr/bin/env bash
echo "$*" >>"$NOTES/calls"
for argument in "$@"; do
    case "$argument" in
        --datadir=*) mkdir "${argument#*=}" ;;
        --init-file=*) cp "${argument#*=}" "$NOTES/accounts" && stat -c %a "${argument#*=}" >"$NOTES/mode" ;;
    esac
done
[[ ! -e "$NOTES/fail" ]]
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    for folder in ("bin", "conveyor", "notes", "home"):
        (tmp_path / folder).mkdir()
    (tmp_path / "bin" / "mysqld").write_text(MYSQLD)
    (tmp_path / "bin" / "mysqld").chmod(0o755)
    for source in ("docker/mysql/start.sh", "docker/mysql/my.cnf", "mysql_agent/accounts.sql"):
        (tmp_path / "conveyor" / Path(source).name).write_bytes((ROOT / source).read_bytes())
    return {
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "NOTES": str(tmp_path / "notes"),
        "MYSQL_HOME_DIRECTORY": str(tmp_path / "home"),
        "MYSQL_AGENT_USER": "conveyor_agent",
        "MYSQL_AGENT_PASSWORD": r"quote ' backslash \ ampersand & dollar $HOME",
        "MYSQL_AGENT_RECOVERY_USER": "gr_recovery",
        "MYSQL_AGENT_RECOVERY_PASSWORD": "recovery",
        "DB_ADMIN_USER": "conveyor_admin",
        "DB_ADMIN_PASSWORD": "${DB_NAME_PATTERN}",
        "DB_NAME": "loadbalancer_db",
    }


def start(tmp_path: Path, environment: dict[str, str]) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        ["bash", str(tmp_path / "conveyor" / "start.sh"), "--server-id=101"],
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        timeout=20,
    )


def calls(tmp_path: Path) -> list[str]:
    return (tmp_path / "notes" / "calls").read_text().splitlines()


def test_the_first_start_makes_the_data_directory_and_the_accounts_of_the_template(
    tmp_path: Path, environment: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    environment["DB_ADMIN_PASSWORD"] = "admin"
    assert start(tmp_path, environment).returncode == 0
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    settings = InitializeSettings(datadir=tmp_path, defaults_file=tmp_path)
    assert (tmp_path / "notes" / "accounts").read_text() == account_statements(settings)
    assert (tmp_path / "notes" / "mode").read_text() == "600\n"
    assert sorted(entry.name for entry in (tmp_path / "home").iterdir()) == ["data"]
    my_cnf = f"--defaults-file={tmp_path}/conveyor/my.cnf"
    first, second = calls(tmp_path)
    assert first.startswith(f"{my_cnf} --initialize-insecure --skip-log-bin --datadir={tmp_path}/home/new")
    assert second == f"{my_cnf} --server-id=101"


def test_a_later_start_leaves_the_data_alone(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "home" / "data").mkdir()
    assert start(tmp_path, environment).returncode == 0
    assert calls(tmp_path) == [f"--defaults-file={tmp_path}/conveyor/my.cnf --server-id=101"]


def test_a_start_that_failed_half_way_is_made_again(tmp_path: Path, environment: dict[str, str]) -> None:
    (tmp_path / "notes" / "fail").touch()
    assert start(tmp_path, environment).returncode != 0
    assert not (tmp_path / "home" / "data").exists()
    (tmp_path / "notes" / "fail").unlink()
    assert start(tmp_path, environment).returncode == 0
    assert (tmp_path / "home" / "data").is_dir()


def test_a_missing_password_ends_the_start_and_is_named(tmp_path: Path, environment: dict[str, str]) -> None:
    del environment["DB_ADMIN_PASSWORD"]
    ended = start(tmp_path, environment)
    assert ended.returncode != 0
    assert "DB_ADMIN_PASSWORD" in ended.stderr
    assert not (tmp_path / "notes" / "calls").exists()
