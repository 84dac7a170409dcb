"""The scripts of the pods with stand-ins for the programs of MySQL, which note how they were called."""

import gzip
import os
import subprocess
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chart.rendering import CHART

MYSQLDUMP = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
echo "INSERT INTO users VALUES (1);"
[ -e "$NOTES/cut" ] || echo "-- Dump completed on today"
[ ! -e "$NOTES/fail" ]
"""
MYSQL = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
case "$*" in
    *PROCESSLIST*)
        echo own connection
        [ ! -s "$NOTES/others" ] || { head -n 1 "$NOTES/others"; sed -i 1d "$NOTES/others"; }
        ;;
    *) cat >"$NOTES/loaded" ;;
esac
"""
MYSQLD = """#!/bin/sh
echo "$*" >>"$NOTES/calls"
for argument in "$@"; do
    case "$argument" in
        --datadir=*) mkdir "${argument#*=}" ;;
        --init-file=*) cp "${argument#*=}" "$NOTES/accounts" ;;
    esac
done
[ ! -e "$NOTES/fail" ]
"""
# where the pods have their volumes
PLACES = {
    "/run/conveyor-init": "init",
    "/run/conveyor": "handover",
    "/var/lib/mysql": "home",
    "/backup": "backup",
}


class Shell:
    """Runs a script of the chart with its volumes below a directory."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        for name in ("bin", "notes", *PLACES.values()):
            (directory / name).mkdir()
        for name, text in {"mysqldump": MYSQLDUMP, "mysql": MYSQL, "mysqld": MYSQLD}.items():
            (directory / "bin" / name).write_text(text)
            (directory / "bin" / name).chmod(0o755)

    def place(self, name: str) -> Path:
        return self.directory / name

    def note(self, name: str) -> str:
        return (self.directory / "notes" / name).read_text()

    def skip_sleep(self) -> None:
        (self.place("bin") / "sleep").write_text('#!/bin/sh\necho "$1" >>"$NOTES/slept"\n')
        (self.place("bin") / "sleep").chmod(0o755)

    def run(self, script: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        text = (CHART / "files" / script).read_text(encoding="utf-8")
        for path, name in PLACES.items():
            text = text.replace(path, str(self.place(name)))
        copy = self.directory / Path(script).name
        copy.write_text(text)
        env = {
            "PATH": f"{self.place('bin')}:{os.environ['PATH']}",
            "NOTES": str(self.place("notes")),
            "DB_HOST": "replicas",
            "DB_PORT": "3306",
            "DB_USER": "conveyor",
            "DB_NAME": "loadbalancer_db",
            "DB_PASSWORD": "secret",
            "APPLICATION_USER": "conveyor",
            **environment,
        }
        return subprocess.run(["sh", copy], env=env, capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path)


def backups(shell: Shell) -> list[Path]:
    return sorted(shell.place("backup").iterdir())


def old_backup(shell: Shell) -> Path:
    made = datetime.now(UTC) - timedelta(days=20)
    path = shell.place("backup") / f"conveyor-{made:%Y%m%dT%H%M%SZ}.sql.gz"
    path.write_bytes(gzip.compress(b"old"))
    return path


def test_a_backup_is_one_whole_compressed_dump(shell: Shell) -> None:
    assert shell.run("backup/backup.sh", RETENTION_DAYS="14").returncode == 0
    (made,) = backups(shell)
    assert made.name.startswith("conveyor-2")
    assert gzip.decompress(made.read_bytes()).endswith(b"-- Dump completed on today\n")
    assert made.stat().st_mode & 0o077 == 0
    call = shell.note("calls")
    assert "--host=replicas" in call
    assert "--single-transaction" in call
    assert "--set-gtid-purged=OFF" in call
    assert "--password" not in call


def test_old_backups_go_after_a_new_one_came(shell: Shell) -> None:
    old = old_backup(shell)
    assert shell.run("backup/backup.sh", RETENTION_DAYS="30").returncode == 0
    assert old.exists()
    assert shell.run("backup/backup.sh", RETENTION_DAYS="14").returncode == 0
    assert not old.exists()


@pytest.mark.parametrize("how", ["cut", "fail"])
def test_half_a_dump_is_not_kept_and_costs_no_old_one(shell: Shell, how: str) -> None:
    old = old_backup(shell)
    (shell.place("notes") / how).touch()
    assert shell.run("backup/backup.sh", RETENTION_DAYS="14").returncode != 0
    assert [path for path in backups(shell) if path.suffix == ".gz"] == [old]
    (shell.place("notes") / how).unlink()
    assert shell.run("backup/backup.sh", RETENTION_DAYS="14").returncode == 0
    assert [path.suffix for path in backups(shell)] == [".gz"]


def test_a_restore_loads_what_the_file_holds(shell: Shell) -> None:
    file = shell.place("backup") / "a.sql.gz"
    file.write_bytes(gzip.compress(b"INSERT INTO users VALUES (1);"))
    shell.skip_sleep()
    assert shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz", DB_HOST="primary").returncode == 0
    assert shell.note("loaded") == "INSERT INTO users VALUES (1);"
    assert "--host=primary" in shell.note("calls")


def test_a_restore_waits_until_nobody_writes(shell: Shell) -> None:
    (shell.place("backup") / "a.sql.gz").write_bytes(gzip.compress(b"INSERT"))
    (shell.place("notes") / "others").write_text("worker\nworker\n")
    shell.skip_sleep()
    assert shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz").returncode == 0
    looks = [call for call in shell.note("calls").splitlines() if "PROCESSLIST" in call]
    assert len(looks) == 5
    assert all("--user=conveyor" in look for look in looks)
    assert shell.note("loaded") == "INSERT"


def test_a_restore_gives_up_where_somebody_goes_on_writing(shell: Shell) -> None:
    (shell.place("backup") / "a.sql.gz").write_bytes(gzip.compress(b"INSERT"))
    (shell.place("notes") / "others").write_text("worker\n" * 1000)
    shell.skip_sleep()
    ended = shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz")
    assert ended.returncode != 0
    assert "conveyor is still connected" in ended.stderr
    assert not (shell.place("notes") / "loaded").exists()


def test_a_file_that_is_not_there_is_named_with_those_that_are(shell: Shell) -> None:
    old = old_backup(shell)
    ended = shell.run("backup/restore.sh", RESTORE_FROM="b.sql.gz")
    assert ended.returncode != 0
    assert "there is no b.sql.gz" in ended.stderr
    assert old.name in ended.stderr


def test_a_damaged_file_is_not_loaded(shell: Shell) -> None:
    (shell.place("backup") / "a.sql.gz").write_bytes(gzip.compress(b"x" * 1000)[:-10])
    assert shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz").returncode != 0
    assert not (shell.place("notes") / "loaded").exists()


@pytest.fixture
def accounts(shell: Shell) -> Path:
    path = shell.place("init") / "accounts.sql"
    path.write_text("CREATE USER")
    return path


def test_a_member_is_made_once_and_the_passwords_do_not_stay(shell: Shell, accounts: Path) -> None:
    assert shell.run("mysql/initialize.sh").returncode == 0
    assert shell.note("accounts") == "CREATE USER"
    assert not accounts.exists()
    assert [path.name for path in shell.place("home").iterdir()] == ["data"]
    accounts.write_text("CREATE USER")
    assert shell.run("mysql/initialize.sh").returncode == 0
    assert len(shell.note("calls").splitlines()) == 1
    assert not accounts.exists()


def test_a_start_that_failed_half_way_is_made_again(shell: Shell, accounts: Path) -> None:
    (shell.place("notes") / "fail").touch()
    assert shell.run("mysql/initialize.sh").returncode != 0
    assert not accounts.exists()
    assert not (shell.place("home") / "data").exists()
    (shell.place("notes") / "fail").unlink()
    accounts.write_text("CREATE USER")
    assert shell.run("mysql/initialize.sh").returncode == 0
    assert (shell.place("home") / "data").is_dir()


def test_a_member_stops_as_soon_as_it_is_released(shell: Shell) -> None:
    (shell.place("handover") / "released").touch()
    started = time.monotonic()
    assert shell.run("mysql/hand-over.sh").returncode == 0
    assert time.monotonic() - started < 5
    assert (shell.place("handover") / "stopping").exists()


def test_a_member_whose_agent_is_dead_stops_all_the_same(shell: Shell) -> None:
    shell.skip_sleep()
    assert shell.run("mysql/hand-over.sh").returncode == 0
    assert shell.note("slept").splitlines() == ["0.5"] * 40
