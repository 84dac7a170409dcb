import pymysql
import pytest
from kombu.exceptions import OperationalError as KombuError
from pydantic import BaseModel, ValidationError
from requests import HTTPError
from sqlalchemy.exc import IntegrityError, OperationalError
from urllib3 import HTTPConnectionPool
from urllib3.exceptions import MaxRetryError

from app.tasks.context import PermanentTaskError
from structured_logging.exceptions import render, summary
from worker.failures import InvalidPayloadError

SECRET = "hunter2-of-ada"


class Payload(BaseModel):
    amount: int


def invalid() -> ValidationError:
    with pytest.raises(ValidationError) as caught:
        Payload.model_validate({"amount": SECRET})
    return caught.value


QUOTING = {
    "a value": ValueError(f"bad card {SECRET}"),
    "a key": KeyError(SECRET),
    "the task's own": PermanentTaskError(f"no account {SECRET}"),
    "a payload that does not fit": InvalidPayloadError(invalid()),
    "pydantic": invalid(),
    "a unique key": IntegrityError(
        "INSERT", None, pymysql.err.IntegrityError(1062, f"Duplicate entry '{SECRET}' for key 'users.email'")
    ),
    "a value that does not fit": pymysql.err.DataError(1366, f"Incorrect string value: '{SECRET}'"),
    "a file": FileNotFoundError(2, "No such file or directory", SECRET),
    "an address that was asked": HTTPError(f"404 Client Error for url: https://example.com/?mail={SECRET}"),
    "an address that was asked often": MaxRetryError(HTTPConnectionPool("example.com"), f"/?mail={SECRET}"),
    "several": ExceptionGroup(SECRET, [ValueError(SECRET), KeyError(SECRET)]),
}


@pytest.mark.parametrize("error", QUOTING.values(), ids=QUOTING)
def test_what_an_exception_quotes_is_left_out(error: Exception) -> None:
    assert SECRET not in summary(error)
    assert SECRET not in render(error)
    if not isinstance(error, ValidationError | FileNotFoundError | InvalidPayloadError):
        assert SECRET in summary(error, with_text=True)


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            OperationalError("SELECT", None, pymysql.err.OperationalError(2013, "Lost connection")),
            "OperationalError: Lost connection [2013]",
        ),
        (pymysql.err.IntegrityError(1062, "Duplicate entry 'x'"), "IntegrityError: [1062]"),
        (ConnectionRefusedError(111, "Connection refused"), "ConnectionRefusedError: Connection refused"),
        (
            KombuError("Error 111 connecting to redis:6379"),
            "OperationalError: Error 111 connecting to redis:6379",
        ),
        (ModuleNotFoundError("No module named 'pandas'"), "ModuleNotFoundError: No module named 'pandas'"),
        (ValueError("x"), "ValueError"),
    ],
)
def test_what_tells_the_cause_and_quotes_nobody_is_kept(error: Exception, said: str) -> None:
    assert summary(error) == said


def test_a_traceback_tells_what_caused_what_without_its_texts() -> None:
    def fail() -> None:
        try:
            int(SECRET)
        except ValueError as error:
            raise RuntimeError(SECRET) from error

    with pytest.raises(RuntimeError) as caught:
        fail()
    text = render(caught.value)
    assert text.index("\nValueError\n") < text.index("direct cause") < text.index("RuntimeError")
    assert "in fail" in text
    assert SECRET not in text


def test_a_recursion_does_not_fill_the_log() -> None:
    def fall() -> None:
        fall()

    with pytest.raises(RecursionError) as caught:
        fall()
    assert len(render(caught.value)) < 5000


def test_exceptions_that_caused_each_other_end() -> None:
    one, other = ValueError(), KeyError()
    one.__cause__, other.__cause__ = other, one
    assert render(one).count("ValueError") == 1
