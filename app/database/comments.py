"""Every statement says for which request and task it runs: a comment that the server's own lists show.

It stands in front, because these lists cut long statements; the digest of a statement knows no comments.
"""

from typing import Any

from sqlalchemy import Connection, Engine, event
from structlog.contextvars import get_contextvars

from app.correlation import REQUEST_ID, TASK_ID, harmless

IDS = (REQUEST_ID, TASK_ID)
INSERT = "INSERT INTO "


def comment_statements(engine: Engine) -> None:
    """Put the ids that are known where a statement is run into it."""
    event.listen(engine, "before_cursor_execute", _comment, retval=True)


def _comment(
    _connection: Connection,
    _cursor: object,
    statement: str,
    parameters: Any,  # noqa: ANN401 - SQLAlchemy's signature
    _context: object,
    executemany: bool,  # noqa: FBT001 - as above
) -> tuple[str, Any]:
    return commented(statement, get_contextvars(), is_bulk=executemany), parameters


def commented(statement: str, context: dict[str, Any], *, is_bulk: bool = False) -> str:
    """Return the statement with its comment, `/* request_id='…',task_id='…' */`."""
    # what is not harmless is left out: here it would be part of a statement
    ids = ",".join(f"{name}='{value}'" for name in IDS if (value := harmless(context.get(name))))
    if not ids:
        return statement
    if not is_bulk:
        return f"/* {ids} */ {statement}"
    # PyMySQL makes one statement of many rows only where nothing stands in front of the word.
    if statement.startswith(INSERT):
        return f"INSERT /* {ids} */ INTO {statement.removeprefix(INSERT)}"
    return statement
