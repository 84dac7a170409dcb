import re
from collections.abc import Callable

import pymysql
import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.exc import OperationalError
from structlog.testing import capture_logs

from app.migrations.schema import SchemaState, schema_state
from app.migrations.wait import wait_for_schema


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.migrations.wait.POLL_SECONDS", 0.001)


def failing(code: int, words: str) -> OperationalError:
    return OperationalError("SELECT", None, pymysql.err.OperationalError(code, words))


def played(*answers: SchemaState | Exception) -> Callable[[], SchemaState]:
    remaining = list(answers)

    def look() -> SchemaState:
        answer = remaining.pop(0) if len(remaining) > 1 else remaining[0]
        if isinstance(answer, Exception):
            raise answer
        return answer

    return look


@pytest.mark.parametrize("good", [SchemaState.CURRENT, SchemaState.NEWER])
def test_it_ends_when_the_schema_will_do(good: SchemaState) -> None:
    wait_for_schema(played(failing(2003, "refused"), SchemaState.BEHIND, good), 10)


@pytest.mark.parametrize(
    ("answer", "cure"),
    [
        (failing(2003, "Can't connect"), "Can't connect"),
        (failing(1045, "Access denied for user"), "DB_PASSWORD is wrong"),
        (SchemaState.BEHIND, "see the log of `python -m app.migrations`"),
    ],
)
def test_after_the_deadline_it_names_what_was_missing(answer: SchemaState | Exception, cure: str) -> None:
    with pytest.raises(TimeoutError, match=f"after 0.01 s: .*{re.escape(cure)}"):
        wait_for_schema(played(answer), 0.01)


def test_each_reason_is_logged_once() -> None:
    away = failing(2003, "refused")
    look = played(away, away, away, SchemaState.BEHIND, SchemaState.BEHIND, SchemaState.CURRENT)
    with capture_logs() as lines:
        wait_for_schema(look, 10)
    assert [line["event"] for line in lines] == ["waiting", "waiting", "the schema will do"]


@pytest.mark.parametrize(
    ("revision", "state"),
    [
        (None, SchemaState.BEHIND),
        ("0001", SchemaState.BEHIND),
        ("0002", SchemaState.BEHIND),
        ("0004", SchemaState.CURRENT),
        ("9999", SchemaState.NEWER),
    ],
)
def test_the_revision_in_the_database_is_held_against_those_of_the_release(
    revision: str | None, state: SchemaState
) -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        if revision:
            connection.execute(text("CREATE TABLE alembic_version (version_num VARCHAR(32))"))
            connection.execute(text("INSERT INTO alembic_version VALUES (:it)"), {"it": revision})
        assert schema_state(connection) is state
    engine.dispose()
