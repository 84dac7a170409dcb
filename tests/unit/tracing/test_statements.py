import sqlite3
from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode, Tracer
from sqlalchemy import Engine, create_engine, event, text
from sqlalchemy.exc import OperationalError
from structlog.contextvars import bound_contextvars

from app.database.comments import comment_statements
from app.database.sessions import WriteSession
from app.tracing.statements import trace_commits, trace_statements, without_values


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def tracer(exporter: InMemorySpanExporter) -> Tracer:
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return provider.get_tracer("test")


@pytest.fixture
def engine(tracer: Tracer) -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    comment_statements(engine)
    trace_statements(engine, tracer)
    yield engine
    engine.dispose()


def spans(exporter: InMemorySpanExporter) -> list[ReadableSpan]:
    return [span for span in exporter.get_finished_spans() if span.name != "outer"]


def test_a_statement_is_a_part_of_the_trace_it_runs_in(
    engine: Engine, tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    with (
        tracer.start_as_current_span("outer") as outer,
        bound_contextvars(request_id="r1"),
        engine.connect() as link,
    ):
        link.execute(text("SELECT :value FROM sqlite_master"), {"value": "hunter2"})
    (span,) = spans(exporter)
    assert span.name == "SELECT sqlite_master"
    assert span.parent
    assert span.parent.span_id == outer.get_span_context().span_id
    attributes = dict(span.attributes or {})
    assert attributes["db.query.text"] == "SELECT ? FROM sqlite_master"
    assert attributes["db.system.name"] == "mysql"
    assert "hunter2" not in span.to_json()


def test_a_statement_of_nobody_is_not_traced(engine: Engine, exporter: InMemorySpanExporter) -> None:
    with engine.connect() as link:
        link.execute(text("SELECT 1"))
    assert spans(exporter) == []


def test_a_statement_that_fails_says_so_without_the_text_of_the_error(
    engine: Engine, tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    with tracer.start_as_current_span("outer"), engine.connect() as link, pytest.raises(OperationalError):
        link.execute(text("SELECT hunter2()"))
    (span,) = spans(exporter)
    assert (span.status.status_code, span.status.description) == (
        StatusCode.ERROR,
        sqlite3.OperationalError.__name__,
    )
    assert "no such function" not in span.to_json()


def test_a_commit_is_a_part_of_its_own(
    engine: Engine, tracer: Tracer, exporter: InMemorySpanExporter
) -> None:
    trace_commits(tracer)
    with tracer.start_as_current_span("outer"), WriteSession(engine) as session:
        session.execute(text("SELECT 1"))
        session.commit()
    assert [span.name for span in spans(exporter)] == ["SELECT", "COMMIT"]


def test_a_commit_that_fails_is_told(engine: Engine, tracer: Tracer, exporter: InMemorySpanExporter) -> None:
    trace_commits(tracer)

    def refuse(_connection: object) -> None:
        raise sqlite3.OperationalError("hunter2")

    event.listen(engine, "commit", refuse)
    with tracer.start_as_current_span("outer"), WriteSession(engine) as session:
        session.execute(text("SELECT 1"))
        with pytest.raises(sqlite3.OperationalError):
            session.commit()
    commit = next(span for span in spans(exporter) if span.name == "COMMIT")
    assert commit.status.status_code is StatusCode.ERROR
    assert "hunter2" not in commit.to_json()


@pytest.mark.parametrize(
    ("statement", "shown"),
    [
        ("SELECT * FROM t WHERE a = %(a)s AND b IN (%(b_1)s, %(b_2)s)", None),
        ("SELECT * FROM t WHERE card = '4111 1111' AND x = 12.5", "SELECT * FROM t WHERE card = ? AND x = ?"),
        ("SELECT 'it''s', 'a\\'b', \"q\"\"r\", 0xAF, t1.c2", "SELECT ?, ?, ?, ?, t1.c2"),
        ("SELECT 1e5, 1.5E-10, -2.e+3, .5, 0b101, e1.x", "SELECT ?, ?, -?, .?, ?, e1.x"),
        ("UPDATE tasks SET a=now(6) WHERE id='x'", "UPDATE tasks SET a=now(?) WHERE id=?"),
        ("INSERT /* request_id='r1' */ INTO t VALUES (7)", "INSERT INTO t VALUES (?)"),
        ("/* task_id='t1' */ SELECT /*+ INDEX(t i) */ 1", "SELECT /*+ INDEX(t i) */ ?"),
    ],
)
def test_values_in_a_statement_are_not_shown(statement: str, shown: str | None) -> None:
    assert without_values(statement) == (shown or statement)
