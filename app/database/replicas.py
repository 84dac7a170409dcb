"""Connections of a replica's pool whose member has become the primary are given up at their next use."""

import time
from typing import Any

import pymysql
from sqlalchemy import Engine, event
from sqlalchemy.exc import DisconnectionError, InvalidatePoolError

# Right after a failover even a new connection may lead there. So may all of them, where a replica
# takes writes by mistake or is no other server than the primary: then they are made anew this often.
PATIENCE_SECONDS = 5.0
OPENED_AT = "opened at"


def keep_to_replicas(engine: Engine) -> None:
    """Ask at each checkout, instead of a ping, whether the member is still one that only reads."""

    @event.listens_for(engine, "connect")
    def _on_connect(_: object, record: Any) -> None:  # noqa: ANN401 - SQLAlchemy's own, private class
        record.info[OPENED_AT] = time.monotonic()

    @event.listens_for(engine, "checkout")
    def _on_checkout(connection: Any, record: Any, _: object) -> None:  # noqa: ANN401 - as above
        if _takes_writes(connection) and time.monotonic() - record.info[OPENED_AT] > PATIENCE_SECONDS:
            raise DisconnectionError("the member is the primary now")


def _takes_writes(connection: Any) -> bool:  # noqa: ANN401 - a PyMySQL connection as the pool wraps it
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT @@GLOBAL.read_only")
            [(read_only,)] = cursor.fetchall()
    except (pymysql.MySQLError, OSError) as error:
        raise InvalidatePoolError("the member is lost") from error
    return not read_only
