"""Counts the rows that MySQL reads for what a session does."""

from collections.abc import Callable
from typing import NamedTuple

from sqlalchemy import Connection, text
from sqlalchemy.orm import Session

# The server counts a row after the storage engine has compared it with what could be pushed down to it.
COUNT_ALL = "SET SESSION optimizer_switch = 'index_condition_pushdown=off'"
# A statement is in the history once the next one of its thread has begun.
NEXT = "DO 0"
LAST_EVENT = """
    SELECT COALESCE(MAX(event_id), 0) FROM performance_schema.events_statements_history
    JOIN performance_schema.threads USING (thread_id) WHERE processlist_id = :connection"""
SINCE = """
    SELECT sql_text, rows_examined FROM performance_schema.events_statements_history
    JOIN performance_schema.threads USING (thread_id)
    WHERE processlist_id = :connection AND event_id > :last AND sql_text <> :next ORDER BY event_id"""


class Read(NamedTuple):
    """A statement, and how many rows it read."""

    statement: str
    rows: int


def reads(admin: Connection, session: Session, act: Callable[[], object]) -> list[Read]:
    """Run `act` on the session; returns its statements."""
    session.execute(text(COUNT_ALL))
    connection = session.scalar(text("SELECT CONNECTION_ID()"))
    session.execute(text(NEXT))
    last = admin.scalar(text(LAST_EVENT), {"connection": connection})
    act()
    session.execute(text(NEXT))
    rows = admin.execute(text(SINCE), {"connection": connection, "last": last, "next": NEXT})
    return [Read(" ".join(row.sql_text.split()), row.rows_examined) for row in rows]
