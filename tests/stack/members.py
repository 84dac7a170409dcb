"""The MySQL members one by one, past the load balancer, as the administrator."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from typing import Any

import pymysql

from stack.supervisor import Stack

MEMBERS = ("mysql-0", "mysql-1", "mysql-2")
CLIENTS = "SELECT COUNT(*) FROM performance_schema.processlist WHERE user = %s"


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
    """Return the names of the members that are not the primary, the one with the fewest clients first.

    The API's replicas keep their connections: after the loss of a member all of them may be with another.
    """
    with connect_to_member(stack, "mysql-primary") as connection, connection.cursor() as cursor:
        cursor.execute("SELECT @@port")
        [(port,)] = cursor.fetchall()
    return sorted((name for name in MEMBERS if stack.ports[name] != port), key=partial(_clients, stack))


def _clients(stack: Stack, member: str) -> int:
    with connect_to_member(stack, member) as connection, connection.cursor() as cursor:
        cursor.execute(CLIENTS, (stack.env_for("api-1")["DB_USER"],))
        [(number,)] = cursor.fetchall()
    return int(number)


@contextmanager
def held_back(stack: Stack, members: Sequence[str], table: str) -> Iterator[None]:
    """Keep members from applying anything that changes a table; they go on answering."""
    with ExitStack() as locks:
        for member in members:
            lock = locks.enter_context(connect_to_member(stack, member))
            lock.cursor().execute(f"LOCK TABLES {table} READ")
        yield
