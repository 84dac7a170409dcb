"""What every member of the group holds and believes, read from each one."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.failover.load import TABLE
from tests.stack.mysql_group import ORDINALS, Group

if TYPE_CHECKING:
    import pymysql

REST_SECONDS = 60.0
PAUSE_SECONDS = 0.2
VIEW = """
SELECT member_host, member_port, member_state, member_role FROM performance_schema.replication_group_members
ORDER BY member_host, member_port
"""


@dataclass(frozen=True)
class Seat:
    """A member in the eyes of one of them."""

    address: str
    state: str
    role: str


@dataclass(frozen=True)
class Holdings:
    """What one member has."""

    rows: tuple[int, ...]
    users: frozenset[int]
    tasks: tuple[tuple[str, str], ...]  # key and id
    position: str
    view: tuple[Seat, ...]
    takes_writes: bool


@dataclass(frozen=True)
class Books:
    """All members, and those that their agents send writers to."""

    members: Mapping[str, Holdings]
    led_to: tuple[str, ...]


def prepare(group: Group) -> None:
    """Make an empty table; an id may stand in it twice, which is what is looked for."""
    with group.session("mysql-primary") as cursor:
        cursor.execute(f"USE `{group.database}`")
        cursor.execute(f"DROP TABLE IF EXISTS {TABLE}")
        cursor.execute(f"CREATE TABLE {TABLE} (place BIGINT PRIMARY KEY AUTO_INCREMENT, id BIGINT NOT NULL)")


def read_books(group: Group, mark: str) -> Books:
    """Read what was written by a load, at a moment in which nobody writes; workers may do so for a while."""
    deadline = time.monotonic() + REST_SECONDS
    while True:
        members = {group.server(ordinal): _holdings(group, ordinal, mark) for ordinal in ORDINALS}
        is_equal = len({member.position for member in members.values()}) == 1
        if is_equal or time.monotonic() > deadline:
            return Books(members, tuple(group.server(ordinal) for ordinal in group.answers("/primary")))
        time.sleep(PAUSE_SECONDS)


def _holdings(group: Group, ordinal: int, mark: str) -> Holdings:
    with group.session(group.server(ordinal)) as cursor:

        def rows(statement: str, *values: object) -> tuple[tuple[object, ...], ...]:
            cursor.execute(statement, values)
            return tuple(cursor.fetchall())

        cursor.execute(f"USE `{group.database}`")
        position = _position(cursor)  # first, so that the rows hold at least its transactions
        return Holdings(
            rows=tuple(int(str(row[0])) for row in rows(f"SELECT id FROM {TABLE}")),  # noqa: S608 - a name of our own
            users=frozenset(int(str(row[0])) for row in rows("SELECT id FROM users WHERE name = %s", mark)),
            tasks=tuple(
                (str(key), str(task_id))
                for key, task_id in rows(
                    "SELECT idempotency_key, id FROM tasks WHERE idempotency_key LIKE %s", f"{mark}-%"
                )
            ),
            position=position,
            view=tuple(
                Seat(f"{host}:{port}", str(state), str(role)) for host, port, state, role in rows(VIEW)
            ),
            takes_writes=rows("SELECT @@GLOBAL.super_read_only") == ((0,),),
        )


def position_of(group: Group, ordinal: int) -> str:
    with group.session(group.server(ordinal)) as cursor:
        return _position(cursor)


def _position(cursor: "pymysql.cursors.Cursor") -> str:
    cursor.execute("SELECT @@GLOBAL.gtid_executed")
    [[position]] = cursor.fetchall()
    return str(position).replace("\n", "")
