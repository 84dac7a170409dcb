"""Statements and commits as parts of a trace: which statement, never with which values."""

import re

from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine import ExceptionContext
from sqlalchemy.orm import Session, SessionTransaction

from app.database.errors import error_code
from app.database.sessions import WriteSession

MOST_CHARACTERS = 2000
SYSTEM = {"db.system.name": "mysql"}
SPAN, COMMIT = "_trace_span", "commit_span"
# Parameters travel apart from the text; a task may write values into it nevertheless.
LITERAL = re.compile(
    r"'(?:[^'\\]|\\.|'')*'|\"(?:[^\"\\]|\\.|\"\")*\"|\b0[bx][0-9a-fA-F]+\b|\b\d+(?:\.\d*)?(?:[eE][+-]?\d+)?\b"
)
COMMENT = re.compile(r"/\*(?!\+).*?\*/ ?", re.DOTALL)
TARGET = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+`?(\w+)", re.IGNORECASE)


def without_values(statement: str) -> str:
    """Return a statement with `?` for each literal, and without the comment that names its request."""
    return LITERAL.sub("?", COMMENT.sub("", statement))[:MOST_CHARACTERS]


def trace_statements(engine: Engine, tracer: Tracer) -> None:
    """Make each statement that runs within a recorded span a part of its trace."""
    address: dict[str, str | int] = {
        **SYSTEM,
        "db.namespace": engine.url.database or "",
        "server.address": engine.url.host or "",
        "server.port": engine.url.port or 0,
    }

    def begin(_connection: Connection, _cursor: object, statement: str, *rest: object) -> None:
        _parameters, context, _executemany = rest
        if trace.get_current_span().is_recording():
            said = without_values(statement)
            operation, target = said.split(None, 1)[0].upper(), TARGET.search(said)
            name = f"{operation} {target[1]}" if target else operation
            attributes = {**address, "db.operation.name": operation, "db.query.text": said}
            setattr(context, SPAN, tracer.start_span(name, None, SpanKind.CLIENT, attributes))

    def end(_connection: Connection, _cursor: object, _statement: str, *rest: object) -> None:
        _parameters, context, _executemany = rest
        if span := getattr(context, SPAN, None):
            span.end()

    def fail(context: ExceptionContext) -> None:
        if span := getattr(context.execution_context, SPAN, None):
            end_failed(span, context.original_exception)

    event.listen(engine, "before_cursor_execute", begin)
    event.listen(engine, "after_cursor_execute", end)
    event.listen(engine, "handle_error", fail)


def trace_commits(tracer: Tracer) -> None:
    """Make each commit a part of its trace: here the group agrees, and the disks are waited for."""

    def begin(session: Session) -> None:
        if trace.get_current_span().is_recording():
            session.info[COMMIT] = tracer.start_span("COMMIT", None, SpanKind.CLIENT, SYSTEM)

    def end(session: Session) -> None:
        if span := session.info.pop(COMMIT, None):
            span.end()

    def fail(session: Session, transaction: SessionTransaction) -> None:
        if transaction.parent is None and (span := session.info.pop(COMMIT, None)):
            end_failed(span, None)

    event.listen(WriteSession, "before_commit", begin)
    event.listen(WriteSession, "after_commit", end)
    event.listen(WriteSession, "after_transaction_end", fail)


def end_failed(span: trace.Span, error: BaseException | None) -> None:
    """End a span with what is harmless of an error: its class and the server's number."""
    kind = type(error).__name__ if error else "not committed"
    span.set_attribute("error.type", kind)
    if number := error_code(error):
        span.set_attribute("db.response.status_code", str(number))
    span.set_status(StatusCode.ERROR, kind)
    span.end()
