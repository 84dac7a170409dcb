"""How a dump is made, kept and loaded."""

import gzip
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chart.rendering import CHART
from chart.shell import Shell
from stack.packages import find_daemons


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


@pytest.mark.parametrize(("program", "script"), [("mysqldump", "backup.sh"), ("mysql", "restore.sh")])
def test_the_real_program_knows_every_option(program: str, script: str) -> None:
    text = (CHART / "files" / "backup" / script).read_text(encoding="utf-8")
    calls = re.findall(rf"(?<![\w.]){program} (--(?:[^\\\n|>]|\\\n)*)", text)
    options = sorted(
        {option for call in calls for option in re.findall(r"--[a-z-]+(?:=\w+)?", call)} - {"--databases"}
    )
    assert len(options) > 4
    known = [option if "=" in option or not wants_value(option) else f"{option}=1" for option in options]
    mysqld = find_daemons(lambda _: None).argv["mysqld"]
    path = Path(mysqld[-1]).parents[1] / "bin" / program
    argv = [*mysqld[:-1], str(path), "--no-defaults", *known, "--help"]
    result = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=False)
    assert result.returncode == 0, result.stderr


def wants_value(option: str) -> bool:
    return option in {"--host", "--port", "--user", "--execute"}
