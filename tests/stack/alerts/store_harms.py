"""Things that go wrong with Redis, backups and certificates."""

import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from stack.supervisor import ROOT
from tests.stack.alerts.harms import accept, going_on
from tests.stack.alerts.system import System
from tests.stack.waiting import wait_until

FILLING = {f"filling-{number}": "x" * 5_000 for number in range(400)}
BEYOND_BYTES = 200_000


@contextmanager
def full_and_evicting(system: System) -> Iterator[None]:
    """Have somebody think that Redis is a cache, and fill it."""
    redis = system.redis

    def fill() -> None:
        for key, value in FILLING.items():
            redis.set(key, value)

    fill()
    redis.config_set("maxmemory-policy", "allkeys-random")
    redis.config_set("maxmemory", int(redis.info("memory")["used_memory"]) - BEYOND_BYTES)
    try:
        with going_on(fill):
            yield
    finally:
        redis.config_set("maxmemory", 0)
        redis.config_set("maxmemory-policy", "noeviction")
        redis.delete(*FILLING)


@contextmanager
def without_its_file(system: System) -> Iterator[None]:
    """Turn the append-only file off."""
    system.redis.config_set("appendonly", "no")
    try:
        yield
    finally:
        _begin_its_file(system)


@contextmanager
def full_disk(system: System) -> Iterator[None]:
    """Let the append-only file grow no further, as on a full disk."""
    with _no_room(system), going_on(lambda: accept(system, "fail_for_good", {"text": "heard late"})):
        yield


@contextmanager
def file_turned_on_without_room(system: System) -> Iterator[None]:
    """Turn the append-only file on at a full disk: Redis keeps nothing and calls all writes good."""
    system.redis.config_set("appendonly", "no")
    try:
        with _no_room(system):
            system.redis.config_set("appendonly", "yes")
            yield
    finally:
        system.redis.config_set("appendonly", "no")
        _begin_its_file(system)


@contextmanager
def _no_room(system: System) -> Iterator[None]:
    process = psutil.Process(system.stack.service("redis").pid)
    _, most = process.rlimit(resource.RLIMIT_FSIZE)
    process.rlimit(resource.RLIMIT_FSIZE, (1, most))
    try:
        yield
    finally:
        process.rlimit(resource.RLIMIT_FSIZE, (most, most))


def _begin_its_file(system: System) -> None:
    """Turn the append-only file on, and wait for its first part: until that is written, nothing is kept."""
    system.redis.config_set("appendonly", "yes")

    def written() -> bool:
        said = system.redis.info("persistence")
        begins = said["aof_rewrite_in_progress"] or said["aof_rewrite_scheduled"]
        return not begins and said["aof_last_bgrewrite_status"] == "ok"

    wait_until(written, "Redis has written the first part of its append-only file")


def backup_taken(system: System, hours_ago: int) -> None:
    """Note a backup, as whoever made it does."""
    no_backup(system)
    with system.group.application_session() as cursor:
        cursor.execute(
            "INSERT INTO backups (name, taken_at, bytes) "
            "VALUES ('dump', UTC_TIMESTAMP(6) - INTERVAL %s HOUR, 1)",
            (hours_ago,),
        )


def no_backup(system: System) -> None:
    with system.group.application_session() as cursor:
        cursor.execute("DELETE FROM backups")


@contextmanager
def backup_missing(system: System) -> Iterator[None]:
    """Have none ever been made."""
    no_backup(system)
    try:
        yield
    finally:
        backup_taken(system, 0)


@contextmanager
def backup_too_old(system: System) -> Iterator[None]:
    """Have the last one been made two hours ago, where one is the most."""
    backup_taken(system, 2)
    try:
        yield
    finally:
        backup_taken(system, 0)


@contextmanager
def certificate_that_ends(system: System) -> Iterator[None]:
    """Give the servers a certificate for a day."""
    _make_certificates(system, names="localhost,127.0.0.1,short", days=1)
    try:
        yield
    finally:
        _make_certificates(system, names="localhost,127.0.0.1", days=365)


def _make_certificates(system: System, names: str, days: int) -> None:
    changes = {"CERTIFICATES_NAMES": names, "CERTIFICATES_DAYS": str(days)}
    subprocess.run(
        [sys.executable, "-m", "certificates"],
        cwd=ROOT,
        env={**system.stack.env_for("certificates"), **changes},
        check=True,
        timeout=60,
    )
