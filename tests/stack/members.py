"""The MySQL members one by one, past the load balancer, as the administrator."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

import pymysql

from stack.supervisor import Stack

MEMBERS = ("mysql-0", "mysql-1", "mysql-2")


def connect_to_member(stack: Stack, member: str) -> "pymysql.Connection[Any]":
    """Connect to a member, or to whatever else listens on a port of this name."""
    env = stack.env_for("migrate")
    return pymysql.connect(
        host="127.0.0.1",
        port=stack.ports[member],
        user=env["DB_ADMIN_USER"],
        password=env["DB_ADMIN_PASSWORD"],
        database=env["DB_NAME"],
        connect_timeout=5,
        read_timeout=20,
    )


def replicas(stack: Stack) -> list[str]:
    """Return the names of the members that are not the primary."""
    with connect_to_member(stack, "mysql-primary") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@port")
        [(port,)] = cursor.fetchall()
    return [name for name in MEMBERS if stack.ports[name] != port]


@contextmanager
def held_back(stack: Stack, members: Sequence[str], table: str) -> Iterator[None]:
    """Keep members from applying anything that changes a table; they go on answering."""
    with ExitStack() as locks:
        for member in members:
            lock = locks.enter_context(connect_to_member(stack, member))
            lock.cursor().execute(f"LOCK TABLES {table} READ")
        yield
