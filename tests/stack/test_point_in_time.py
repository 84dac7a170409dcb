"""Going back to a chosen second: what was committed until then is there, and nothing of what followed."""

import gzip
import re
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from stack.supervisor import Stack
from tests.stack.backup_pod import BackupPod
from tests.stack.members import connect_to_member, replicas
from tests.stack.waiting import wait_until

if TYPE_CHECKING:
    import pymysql

TABLE = "point_in_time"
WRITERS = 4


@pytest.fixture
def cursor(stack: Stack) -> Iterator["pymysql.cursors.Cursor"]:
    with connect_to_member(stack, "mysql-primary") as connection:
        connection.autocommit(value=True)
        with connection.cursor() as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
            cursor.execute(f"CREATE TABLE {TABLE} (id INT PRIMARY KEY, said TEXT)")
            yield cursor
            cursor.execute(f"DROP TABLE {TABLE}")


@pytest.fixture
def pod(stack: Stack, tmp_path: Path) -> BackupPod:
    return BackupPod(stack, tmp_path)


def insert(cursor: "pymysql.cursors.Cursor", *ids: int) -> None:
    for number in ids:
        cursor.execute(f"INSERT INTO {TABLE} VALUES (%s, %s)", (number, f"it's\n{number}"))  # noqa: S608 - a name of our own


class Writer(threading.Thread):
    """Inserts rows of its own, and remembers when each was begun and acknowledged."""

    def __init__(self, stack: Stack, first: int) -> None:
        super().__init__(name=f"writer-{first}")
        self._stack = stack
        self._first = first
        self._stopping = threading.Event()
        self.written: list[tuple[int, datetime, datetime]] = []

    def run(self) -> None:
        with connect_to_member(self._stack, "mysql-primary") as connection, connection.cursor() as cursor:
            connection.autocommit(value=True)
            number = self._first
            while not self._stopping.is_set():
                begin = datetime.now(UTC)
                insert(cursor, number)
                self.written.append((number, begin, datetime.now(UTC)))
                number += WRITERS

    def ids(self) -> set[int]:
        return {number for number, _, _ in self.written}

    def stop(self) -> None:
        self._stopping.set()
        self.join(30)


def moment(cursor: "pymysql.cursors.Cursor") -> datetime:
    """Return a time between what was committed and what will be, by the primary's clock."""
    time.sleep(0.002)
    cursor.execute("SELECT UTC_TIMESTAMP(6)")
    [(now,)] = cursor.fetchall()
    time.sleep(0.002)
    return datetime.fromisoformat(str(now)).replace(tzinfo=UTC)


def rows(dump: str) -> set[int]:
    return {int(number) for number in re.findall(r"\((\d+),'it\\'s\\n\d+'\)", dump)}


def test_everything_until_the_second_is_there_and_the_mistake_is_not(
    cursor: "pymysql.cursors.Cursor", pod: BackupPod
) -> None:
    insert(cursor, 1, 2)
    dumped = pod.dump()
    assert rows(text(dumped)) == {1, 2}
    insert(cursor, 3, 4)
    assert pod.archive().returncode == 0
    # as every upgrade does; accounts are not replayed
    cursor.execute("CREATE USER IF NOT EXISTS nobody@'%' ACCOUNT LOCK")
    cursor.execute("ALTER USER nobody@'%' COMMENT 'more than once'")
    insert(cursor, 5)
    before = moment(cursor)
    cursor.execute(f"DELETE FROM {TABLE} WHERE id < 4")  # noqa: S608 - as above
    between = moment(cursor)
    insert(cursor, 6)
    cursor.execute(f"DROP TABLE {TABLE}")
    after = moment(cursor)
    cursor.execute(f"CREATE TABLE {TABLE} (id INT PRIMARY KEY, said TEXT)")
    cursor.execute("DROP USER nobody@'%'")

    too_early = pod.plan(before)
    assert too_early.returncode == 1
    assert "the archive ends at" in too_early.stderr

    assert pod.archive().returncode == 0
    assert rows(pod.go_back(before)) == {1, 2, 3, 4, 5}
    assert rows(pod.go_back(between)) == {4, 5}
    assert f"`{TABLE}`" not in pod.go_back(after)


def test_an_archive_goes_on_with_whichever_member_is_the_primary(
    stack: Stack, cursor: "pymysql.cursors.Cursor", pod: BackupPod
) -> None:
    insert(cursor, 1)
    assert pod.archive().returncode == 0
    refused = pod.archive(replicas(stack)[0])
    assert refused.returncode == 1
    assert "is no primary at the moment" in refused.stdout
    assert len(list((pod.backup / "binlogs").iterdir())) == 1


def test_a_dump_in_the_middle_of_writes_knows_exactly_what_is_in_it(
    stack: Stack, cursor: "pymysql.cursors.Cursor", pod: BackupPod
) -> None:
    writers = [Writer(stack, first) for first in range(WRITERS)]
    for writer in writers:
        writer.start()
    try:
        wait_until(lambda: all(len(writer.written) > 20 for writer in writers), "rows before the dump", 30)
        in_dump = rows(text(pod.dump()))
        wait_until(lambda: all(max(writer.ids()) not in in_dump for writer in writers), "rows after it", 30)
        until = moment(cursor)
        time.sleep(0.1)
    finally:
        for writer in writers:
            writer.stop()
    assert pod.archive().returncode == 0
    # a row of the dump that is replayed again, or one that neither has, ends the replay
    found = rows(pod.go_back(until))
    assert in_dump < found
    assert found >= {number for writer in writers for number, _, end in writer.written if end < until}
    assert not found & {number for writer in writers for number, begin, _ in writer.written if begin > until}


def text(path: Path) -> str:
    return gzip.decompress(path.read_bytes()).decode()
