import time

import pymysql
import pytest
from sqlalchemy import create_engine
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.database.causality import MAX_AGE_SECONDS, CausalityTokens, cookie
from app.database.engines import parse_host
from app.database.errors import is_duplicate_key, is_rolled_back, is_unavailable
from app.database.sessions import ReadSession, WriteSession
from app.models import User

POSITION = "839c82ab-4776-4933-b46b-619dd9ccbc30:1-20"


def mysql_error(code: int) -> DBAPIError:
    return OperationalError("SELECT 1", None, pymysql.err.OperationalError(code, "why"))


@pytest.mark.parametrize(
    "code", [1290, 1792, 1836, 3100, 3101, 4094, 1053, 3032, 2003, 2006, 2013, 1040, 1021, 1114, 1045]
)
def test_a_demoted_or_lost_server_counts_as_unavailable(code: int) -> None:
    assert is_unavailable(mysql_error(code))


def test_an_exhausted_pool_counts_as_unavailable() -> None:
    assert is_unavailable(PoolTimeoutError())


@pytest.mark.parametrize("code", [1064, 1146])
def test_a_wrong_statement_does_not(code: int) -> None:
    assert not is_unavailable(mysql_error(code))
    assert not is_unavailable(ValueError())


def test_only_errors_that_say_so_prove_a_rollback() -> None:
    assert is_rolled_back(mysql_error(1213))
    assert is_rolled_back(mysql_error(3101))
    assert not is_rolled_back(mysql_error(2013))  # lost while committing: nobody knows


def test_a_taken_unique_key_is_told_from_other_integrity_errors() -> None:
    assert is_duplicate_key(IntegrityError("INSERT", None, pymysql.err.IntegrityError(1062, "Duplicate")))
    assert not is_duplicate_key(IntegrityError("INSERT", None, pymysql.err.IntegrityError(1452, "No parent")))


@pytest.mark.parametrize(
    ("address", "expected"),
    [("mysql", ("mysql", 3306)), ("mysql:3307", ("mysql", 3307)), ("127.0.0.1:18191", ("127.0.0.1", 18191))],
)
def test_an_address_may_carry_a_port(address: str, expected: tuple[str, int]) -> None:
    assert parse_host(address) == expected


def test_a_port_that_is_no_number_is_named() -> None:
    with pytest.raises(ValueError, match="'mysql:port' is no host:port"):
        parse_host("mysql:port")


def test_a_position_comes_back_from_its_token() -> None:
    tokens = CausalityTokens("a secret of enough length")
    assert tokens.read(tokens.issue(POSITION)) == POSITION


def test_a_forged_or_missing_token_is_no_position() -> None:
    forged = CausalityTokens("another secret, just as long").issue(POSITION)
    tokens = CausalityTokens("a secret of enough length")
    assert tokens.read(forged) is None
    assert tokens.read("nonsense") is None
    assert tokens.read(None) is None


def test_a_token_older_than_a_minute_is_no_position(monkeypatch: pytest.MonkeyPatch) -> None:
    tokens = CausalityTokens("a secret of enough length")
    token = tokens.issue(POSITION)
    later = time.time() + MAX_AGE_SECONDS + 2
    monkeypatch.setattr("itsdangerous.timed.time.time", lambda: later)
    assert tokens.read(token) is None


def test_scripts_cannot_read_the_cookie() -> None:
    assert "HttpOnly" in cookie("token")
    assert "SameSite=Lax" in cookie("token")


def test_a_read_session_refuses_to_write() -> None:
    session = ReadSession(create_engine("mysql+pymysql://nowhere/none"), "replica")
    session.add(User(name="Ada", email="ada@example.com"))
    with pytest.raises(TypeError, match="ask for a WriteSession"):
        session.flush()
    with pytest.raises(TypeError, match="ask for a WriteSession"):
        session.commit()


def test_a_position_holds_what_is_shown_already_and_only_counted_in_a_moment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group = "839c82ab-4776-4933-b46b-619dd9ccbc30"
    asked: list[str] = []

    def answer(_: ReadSession, statement: object) -> str:
        asked.append(str(statement).rpartition(".")[2])
        return f"{group}:1-20" if "executed" in asked[-1] else f"{group}:21#42:22#43,\n{group}:x:1#44"

    monkeypatch.setattr(ReadSession, "scalar", answer)
    session = ReadSession(create_engine("mysql+pymysql://nowhere/none"), "replica")
    assert session.position() == f"{group}:1-20,{group}:21:22,{group}:x:1"
    assert asked == ["gtid_owned", "gtid_executed"], "what moves from one to the other is not missed"


def test_what_follows_a_commit_runs_once() -> None:
    session = WriteSession(create_engine("mysql+pymysql://nowhere/none"))
    ran: list[str] = []
    session.after_commit(lambda: ran.append("published"))
    session.commit()
    session.commit()
    assert ran == ["published"]


def test_what_follows_a_commit_does_not_run_without_one() -> None:
    session = WriteSession(create_engine("mysql+pymysql://nowhere/none"))
    ran: list[str] = []
    session.after_commit(lambda: ran.append("published"))
    session.rollback()
    session.close()
    assert ran == []
