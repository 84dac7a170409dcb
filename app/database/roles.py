"""Connections to a member whose role has changed are given up at their next use."""

import time
from collections.abc import Callable
from typing import Any

import pymysql
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError

# Right after a failover even a new connection of a replica's pool may lead to the primary. So may all of
# them, where a replica takes writes by mistake or is no other server than the primary: then they are made
# anew this often.
PATIENCE_SECONDS = 5.0
# Another attempt would lead to the same member: whoever asks hears of the error instead.
NEW_SECONDS = 1.0
OPENED_AT = "opened at"
READ_ONLY = 1290


def keep_to_replicas(engine: Engine) -> None:
    """Give a connection up whose member takes writes."""

    def check(age: float, *, read_only: bool) -> None:
        if not read_only and age > PATIENCE_SECONDS:
            raise DisconnectionError("the member is the primary now")

    _ask_at_each_checkout(engine, check)


def keep_to_primary(engine: Engine) -> None:
    """Give a connection up whose member only reads: what it shows may be older than what was promised.

    A load balancer leads there until it has noticed that the member was lost and is back.
    """

    def check(age: float, *, read_only: bool) -> None:
        if read_only and age < NEW_SECONDS:
            raise pymysql.OperationalError(READ_ONLY, "DB_MASTER_HOST leads to a member that only reads")
        if read_only:
            raise DisconnectionError("the member is not the primary any more")

    _ask_at_each_checkout(engine, check)


def _ask_at_each_checkout(engine: Engine, check: Callable[..., None]) -> None:
    """Ask instead of a ping."""

    @event.listens_for(engine, "connect")
    def _on_connect(_: object, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own, private class
        record.info[OPENED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: Any, _: object) -> None:  # noqa: ANN401 - as above
        age = time.monotonic() - record.info[OPENED_AT]
        check(age, read_only=_is_read_only(connection, age))


def _is_read_only(connection: Any, age: float) -> bool:  # noqa: ANN401 - a PyMySQL connection as the pool wraps it
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@GLOBAL.read_only")
            [(read_only,)] = cursor.fetchall()
    except (pymysql.MySQLError, OSError) as error:
        if age < NEW_SECONDS:
            raise
        raise InvalidatePoolError("the member is lost") from error
    return bool(read_only)
