import json

import pytest
from pydantic import SecretStr

from app.settings import Settings
from structured_logging.configuration import configure_logging
from structured_logging.redaction import Redaction, secrets_of

HOSTILE = "p\"a\\s's/w@rd ü"


def test_every_secret_among_the_settings_is_found() -> None:
    settings = Settings(
        db_password=SecretStr("database-password"),
        redis_password=SecretStr("redis-password"),
        secret_key=SecretStr("0123456789abcdef"),
        flower_basic_auth=SecretStr("admin:flower-password"),
    )
    expected = {"database-password", "redis-password", "0123456789abcdef", "flower-password"}
    assert expected <= set(secrets_of(settings))


@pytest.mark.parametrize("written", [HOSTILE, repr(HOSTILE), json.dumps(HOSTILE), json.dumps(repr(HOSTILE))])
def test_a_secret_is_taken_out_however_it_is_written(written: str) -> None:
    assert "w@rd" not in Redaction([HOSTILE])(f'{{"event": "connecting with {written}"}}')


def test_a_secret_is_taken_out_of_any_field_of_a_line_that_stays_valid(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("INFO", "json", [HOSTILE], process="worker")
    import logging

    logging.getLogger("library").warning("cannot log in as %r", HOSTILE, extra={"password": HOSTILE})
    out = capsys.readouterr().out
    assert "w@rd" not in out
    assert "[redacted]" in json.loads(out)["event"]


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2-of-redis@redis:6379/0",
        "mysql+pymysql://conveyor:hunter2-of-redis@db/x",
        "https://ada:hunter2-of-redis@example.com/hook?x=1",
    ],
)
def test_passwords_inside_of_urls_are_taken_out_even_if_nobody_knows_them(url: str) -> None:
    line = Redaction([])(f'{{"event": "Connected to {url}", "path": "a@b"}}')
    assert "hunter2" not in line
    assert "[redacted]@" in line


def test_a_word_as_short_as_any_is_no_secret() -> None:
    assert Redaction(["in"])("listening in") == "listening in"
