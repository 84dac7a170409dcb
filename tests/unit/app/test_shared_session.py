"""A session that the tasks of a batch share."""

from collections.abc import Iterator

import pytest
from sqlalchemy import Engine, create_engine, event

from app.database.sessions import WriteSession
from app.models import User


@pytest.fixture
def engine() -> Iterator[Engine]:
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE users (id INTEGER PRIMARY KEY, name, email, created_at)")
        connection.exec_driver_sql("INSERT INTO users VALUES (1, 'Ada', 'ada@example.com', NULL)")
    yield engine
    engine.dispose()


@pytest.mark.parametrize(("keeps", "asked"), [(True, 1), (False, 3)])
def test_a_row_that_is_kept_is_asked_for_once(engine: Engine, *, keeps: bool, asked: int) -> None:
    statements: list[object] = []
    event.listen(engine, "before_cursor_execute", lambda *arguments: statements.append(arguments))
    with WriteSession(engine) as session:
        if keeps:
            session.keep_loaded()
        for _ in range(3):
            assert session.get(User, 1)

    assert len(statements) == asked


def test_a_part_that_raises_leaves_nothing_behind_and_the_others_stay(engine: Engine) -> None:
    done: list[str] = []
    with WriteSession(engine) as session:
        with session.part():
            session.after_commit(lambda: done.append("first"))

        def fail() -> None:
            with session.part():
                session.after_commit(lambda: done.append("second"))
                raise ValueError("no luck")

        with pytest.raises(ValueError, match="no luck"):
            fail()
        session.commit()

    assert done == ["first"]
