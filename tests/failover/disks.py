"""What can happen to the disks of members."""

import operator
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from tests.failover import faults
from tests.failover.system import SMALL_DISK, System
from tests.stack.initialisation import initialise
from tests.stack.mysql_group import ORDINALS
from tests.stack.waiting import wait_until

DEATH_SECONDS = 30.0
MEGABYTE = bytes(2**20)
SMALLEST_LOG, LARGEST_LOG = 4096, 2**30
THREE_DAYS = 259_200


def wipe(system: System, *ordinals: int) -> None:
    """Replace disks: the servers die, and start on empty ones that were initialised anew."""
    group = system.group
    names = [group.server(ordinal) for ordinal in ordinals]
    pids = [system.stack.service(name).pid for name in names]
    with group.held_down(*names):
        wait_until(lambda: not any(map(_lives, pids)), "the servers are dead", DEATH_SECONDS)
        for ordinal in ordinals:
            _clear(group.datadir(ordinal))
            initialise(system.stack.env_for(f"mysql-init-{ordinal}"))


def make_primary(system: System, ordinal: int) -> None:
    group = system.group
    with group.session(group.server(ordinal), as_agent=True) as cursor:
        cursor.execute("SELECT @@GLOBAL.server_uuid")
        [[uuid]] = cursor.fetchall()
        cursor.execute("SELECT group_replication_set_as_primary(%s, 5)", (uuid,))
    wait_until(lambda: group.answers("/primary") == [ordinal], f"mysql-{ordinal} is the primary")
    group.wait_complete()


@contextmanager
def full(system: System) -> Iterator[None]:
    """Leave nothing of the small disk."""
    ballast = system.group.datadir(SMALL_DISK) / "ballast"
    try:
        with ballast.open("wb", buffering=0) as file, suppress(OSError):
            while True:
                file.write(MEGABYTE)
        yield
    finally:
        ballast.unlink()


def expire_binary_logs(system: System) -> None:
    """Let every member throw away the logs that one without data would be given."""
    before = _purged(system)
    _set_on_all(system, binlog_expire_logs_seconds=1, max_binlog_size=SMALLEST_LOG)
    wait_until(
        lambda: all(map(operator.ne, before, _purged(system))), "logs have expired on every member", 60
    )
    _set_on_all(system, binlog_expire_logs_seconds=THREE_DAYS, max_binlog_size=LARGEST_LOG)


def _purged(system: System) -> list[str]:
    found = []
    for ordinal in ORDINALS:
        with system.group.session(system.group.server(ordinal)) as cursor:
            cursor.execute("SELECT @@GLOBAL.gtid_purged")
            found.append(str(cursor.fetchall()))
    return found


def _set_on_all(system: System, **variables: int) -> None:
    for ordinal in ORDINALS:
        with system.group.session(system.group.server(ordinal), as_agent=True) as cursor:
            for name, value in variables.items():
                cursor.execute(f"SET GLOBAL {name} = %s", (value,))


def write_past_the_group(system: System, ordinal: int, number: int) -> None:
    """Write a row on a member that is outside the group, as no program and many a person would."""
    group = system.group
    with group.held_down(group.agent(ordinal)):
        with group.held_down(group.server(ordinal)):
            pass
        group.stack.wait_ready(group.server(ordinal), faults.AGAIN_SECONDS)
        with group.session(group.server(ordinal), as_agent=True) as cursor:
            cursor.execute("SET GLOBAL super_read_only = OFF")
            cursor.execute("SET GLOBAL read_only = OFF")
        with group.session(group.server(ordinal)) as cursor:
            cursor.execute(f"INSERT INTO `{group.database}`.errant VALUES (%s)", (number,))  # noqa: S608 - as above


def _clear(datadir: Path) -> None:
    # the directory itself may be a mount
    for path in datadir.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _lives(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def errant_rows(system: System, ordinal: int) -> list[int]:
    group = system.group
    with group.session(group.server(ordinal)) as cursor:
        cursor.execute(f"SELECT id FROM `{group.database}`.errant")  # noqa: S608 - a name of our own
        return [row[0] for row in cursor.fetchall()]


def decide_that_nothing_is_lost(message: str) -> None:
    """Do what the agent tells a person to do where there is no Kubernetes."""
    words = re.search(r"remove (/\S+)", message)
    assert words, message
    Path(words[1]).unlink()
