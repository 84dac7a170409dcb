"""Copies in a bucket: rclone as the pods call it, against a server that speaks S3."""

import gzip
import hashlib
import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from chart.shell import Shell
from node.binaries import RCLONE, BuildError, built

START_SECONDS = 20
DAY_SECONDS = 86400


@dataclass(frozen=True)
class Bucket:
    """A bucket, the folder in which its server keeps it, and how to reach it."""

    folder: Path
    environment: dict[str, str]


@pytest.fixture(scope="session")
def rclone() -> Path:
    try:
        return built(RCLONE, print) / "rclone"
    except BuildError as error:
        if os.environ.get("REQUIRE_CLUSTER"):
            pytest.fail(str(error))
        pytest.skip(str(error))


@pytest.fixture
def bucket(rclone: Path, shell: Shell, tmp_path: Path) -> Iterator[Bucket]:
    (shell.place("bin") / "rclone").symlink_to(rclone)
    root = tmp_path / "s3"
    (root / "backups").mkdir(parents=True)
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    argv = [
        str(rclone),
        "serve",
        "s3",
        "--auth-key",
        "accesskey,secretsecret",
        "--addr",
        f"127.0.0.1:{port}",
        str(root),
    ]
    server = subprocess.Popen(argv, env={"HOME": str(tmp_path)}, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port)
        yield Bucket(
            root / "backups" / "demo",
            {
                "HOME": str(tmp_path),
                "RCLONE_CONFIG_S3_TYPE": "s3",
                "RCLONE_CONFIG_S3_PROVIDER": "Other",
                "RCLONE_CONFIG_S3_ENDPOINT": f"http://127.0.0.1:{port}",
                "RCLONE_CONFIG_S3_REGION": "",
                "RCLONE_CONFIG_S3_ACCESS_KEY_ID": "accesskey",
                "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": "secretsecret",
                "BUCKET": "backups/demo",
                "BUCKET_DAYS": "30",
            },
        )
    finally:
        server.terminate()
        server.wait(10)


def _wait_for(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    pytest.fail(f"rclone does not listen on {port} after {START_SECONDS} s")


def fill(shell: Shell) -> dict[str, bytes]:
    """Put a dump and a file of the archive on the volume; return what a bucket must hold then."""
    content = gzip.compress(b"INSERT INTO users VALUES (1);\n")
    sum_line = f"{hashlib.sha256(content).hexdigest()}  a.sql.gz\n".encode()
    files = {"a.sql.gz": content, "a.sql.gz.sha256": sum_line, "binlogs/1/1.binlog": b"\xfebin"}
    for name, data in {**files, "b.sql.gz.tmp": b"half"}.items():
        path = shell.place("backup") / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return files


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_the_bucket_holds_what_is_finished_on_the_volume(shell: Shell, bucket: Bucket) -> None:
    files = fill(shell)
    ended = shell.run("backup/upload.sh", **bucket.environment)
    assert ended.returncode == 0, ended.stderr
    assert held(bucket.folder) == files
    assert "secretsecret" not in ended.stdout + ended.stderr


def test_what_is_old_goes_from_the_bucket_after_a_copy_that_succeeded(shell: Shell, bucket: Bucket) -> None:
    files = fill(shell)
    old = bucket.folder / "old.sql.gz"
    old.parent.mkdir()
    old.write_bytes(b"old")
    long_ago = time.time() - 31 * DAY_SECONDS
    os.utime(old, (long_ago, long_ago))
    refused = shell.run(
        "backup/upload.sh", **{**bucket.environment, "RCLONE_CONFIG_S3_SECRET_ACCESS_KEY": "x"}
    )
    assert refused.returncode != 0
    assert old.exists()
    assert shell.run("backup/upload.sh", **bucket.environment).returncode == 0
    assert held(bucket.folder) == files


def test_an_empty_volume_gets_the_dump_that_is_asked_for_or_all_of_it(shell: Shell, bucket: Bucket) -> None:
    files = fill(shell)
    assert shell.run("backup/upload.sh", **bucket.environment).returncode == 0
    for name in (*files, "b.sql.gz.tmp"):
        (shell.place("backup") / name).unlink()
    assert shell.run("backup/fetch.sh", RESTORE_FROM="a.sql.gz", **bucket.environment).returncode == 0
    assert held(shell.place("backup")) == {name: files[name] for name in ("a.sql.gz", "a.sql.gz.sha256")}
    assert shell.run("backup/fetch.sh", RETENTION_DAYS="14", **bucket.environment).returncode == 0
    assert held(shell.place("backup")) == files
