"""How a dump is made, kept and loaded."""

import gzip
import hashlib
import re
import subprocess
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from chart.rendering import CHART
from chart.shell import Shell
from stack.packages import find_daemons

DAYS = "14"


def back_up(shell: Shell, retention_days: str = DAYS) -> "subprocess.CompletedProcess[str]":
    """Run both steps of the pod, the second one only after the first."""
    shell.skip_sleep()
    dumped = shell.run("backup/dump.sh")
    if dumped.returncode:
        return dumped
    return shell.run("backup/keep.sh", RETENTION_DAYS=retention_days)


def backups(shell: Shell) -> list[Path]:
    return sorted(path for path in shell.place("backup").iterdir() if path.suffix == ".gz")


def keep(shell: Shell, name: str, content: bytes) -> Path:
    """Put a dump there as a backup would."""
    path = shell.place("backup") / name
    path.write_bytes(gzip.compress(content))
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    Path(f"{path}.sha256").write_text(f"{digest}  {name}\n")
    return path


def old_backup(shell: Shell) -> Path:
    made = datetime.now(UTC) - timedelta(days=20)
    return keep(shell, f"conveyor-{made:%Y%m%dT%H%M%SZ}.sql.gz", b"old")


def test_a_backup_is_one_whole_compressed_dump(shell: Shell) -> None:
    ended = back_up(shell)
    assert ended.returncode == 0
    (made,) = backups(shell)
    assert f"wrote {made.name}, {made.stat().st_size} bytes" in ended.stdout
    assert made.name.startswith("conveyor-2")
    assert gzip.decompress(made.read_bytes()).endswith(b"-- Dump completed on today\n")
    assert made.stat().st_mode & 0o077 == 0
    call = shell.note("calls")
    assert "--host=replicas" in call
    assert "--single-transaction" in call
    assert "--set-gtid-purged=OFF" in call
    assert "--password" not in call


def test_the_checksum_beside_a_dump_is_its_own(shell: Shell) -> None:
    assert back_up(shell).returncode == 0
    (made,) = backups(shell)
    expected = hashlib.sha256(made.read_bytes()).hexdigest()
    assert Path(f"{made}.sha256").read_text() == f"{expected}  {made.name}\n"


def test_the_ledger_learns_of_a_backup_from_the_primary(shell: Shell) -> None:
    assert back_up(shell).returncode == 0
    (made,) = backups(shell)
    noted = shell.note("noted")
    assert "--host=primary" in noted
    day = made.name.removeprefix("conveyor-").removesuffix("Z.sql.gz")
    assert f"('{made.name}', STR_TO_DATE('{day}', '%Y%m%dT%H%i%s'), {made.stat().st_size})" in noted


def test_without_a_primary_the_dump_stays_and_no_old_one_goes(shell: Shell) -> None:
    old = old_backup(shell)
    (shell.place("notes") / "no-primary").touch()
    ended = back_up(shell)
    assert ended.returncode != 0
    assert "no primary takes a note of it" in ended.stderr
    assert len(backups(shell)) == 2
    assert old.exists()


def test_what_is_not_on_the_disk_as_it_was_written_is_no_backup(shell: Shell) -> None:
    old = old_backup(shell)
    assert shell.run("backup/dump.sh").returncode == 0
    name = (shell.place("work") / "name").read_text().strip()
    with (shell.place("backup") / name).open("ab") as file:
        file.write(b"\0")
    ended = shell.run("backup/keep.sh", RETENTION_DAYS=DAYS)
    assert ended.returncode != 0
    assert "not what was written" in ended.stderr
    assert old.exists()


def test_old_backups_go_with_their_checksums_after_a_new_one_came(shell: Shell) -> None:
    old = old_backup(shell)
    assert back_up(shell, "30").returncode == 0
    assert old.exists()
    assert back_up(shell).returncode == 0
    assert not old.exists()
    assert not Path(f"{old}.sha256").exists()


@pytest.mark.parametrize("how", ["cut", "fail"])
def test_half_a_dump_is_not_kept_and_costs_no_old_one(shell: Shell, how: str) -> None:
    old = old_backup(shell)
    (shell.place("notes") / how).touch()
    assert back_up(shell).returncode != 0
    assert backups(shell) == [old]
    (shell.place("notes") / how).unlink()
    assert back_up(shell).returncode == 0
    left = sorted(path.name for path in shell.place("backup").iterdir())
    assert left == sorted(name for made in backups(shell) for name in (made.name, f"{made.name}.sha256"))


def test_a_restore_loads_what_the_file_holds_and_reads_it_back(shell: Shell) -> None:
    keep(shell, "a.sql.gz", b"INSERT INTO users VALUES (1);\n")
    shell.skip_sleep()
    ended = shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz", DB_HOST="primary")
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.splitlines() == ["users: 1 rows, as in the dump", "loaded a.sql.gz"]
    assert shell.note("loaded") == "INSERT INTO users VALUES (1);\n"
    assert "--host=primary" in shell.note("calls")


@pytest.mark.parametrize("how", ["writer", "fail"])
def test_a_restore_fails_where_the_primary_does_not_hold_what_the_dump_holds(shell: Shell, how: str) -> None:
    keep(shell, "a.sql.gz", b"INSERT INTO users VALUES (1);\n")
    (shell.place("notes") / how).touch()
    shell.skip_sleep()
    ended = shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz")
    assert ended.returncode != 0
    assert "is not what the dump holds" in ended.stderr
    assert "loaded" not in ended.stdout


def test_a_restore_waits_until_nobody_writes(shell: Shell) -> None:
    keep(shell, "a.sql.gz", b"INSERT INTO users VALUES (1);\n")
    (shell.place("notes") / "others").write_text("worker\nworker\n")
    shell.skip_sleep()
    assert shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz").returncode == 0
    looks = [call for call in shell.note("calls").splitlines() if "PROCESSLIST" in call]
    assert len(looks) == 5
    assert all("--user=conveyor" in look for look in looks)
    assert shell.note("loaded") == "INSERT INTO users VALUES (1);\n"


def test_a_restore_gives_up_where_somebody_goes_on_writing(shell: Shell) -> None:
    keep(shell, "a.sql.gz", b"INSERT INTO users VALUES (1);\n")
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


@pytest.mark.parametrize("harm", ["damage", "no checksum", "a truncated file with a checksum of its own"])
def test_a_file_that_is_not_what_was_written_is_not_loaded(shell: Shell, harm: str) -> None:
    file = keep(shell, "a.sql.gz", b"x" * 1000)
    if harm == "no checksum":
        Path(f"{file}.sha256").unlink()
    else:
        file.write_bytes(file.read_bytes()[:-10])
    if harm.startswith("a truncated"):
        digest = hashlib.sha256(file.read_bytes()).hexdigest()
        Path(f"{file}.sha256").write_text(f"{digest}  a.sql.gz\n")
    ended = shell.run("backup/restore.sh", RESTORE_FROM="a.sql.gz")
    assert ended.returncode != 0
    assert harm.startswith("a truncated") or "nothing is loaded" in ended.stderr
    assert not (shell.place("notes") / "calls").exists()


@pytest.mark.parametrize(
    ("program", "script"),
    [("mysqldump", "dump.sh"), ("mysqldump", "restore.sh"), ("mysql", "restore.sh"), ("mysql", "keep.sh")],
)
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
    return option in {"--host", "--port", "--user", "--execute", "--database"}
