import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from app.logging import configure_logging


@pytest.fixture(autouse=True)
def _restored() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    yield
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def test_every_line_is_one_json_object_with_its_context(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "auto", process="api", replica="api-1")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        structlog.get_logger("app.test").info("accepted", task_id="t1")
    line = json.loads(capsys.readouterr().out)
    assert {key: line[key] for key in ("event", "process", "replica", "request_id", "task_id", "level")} == {
        "event": "accepted",
        "process": "api",
        "replica": "api-1",
        "request_id": "r1",
        "task_id": "t1",
        "level": "info",
    }


def test_libraries_log_in_the_same_form(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json", process="worker")
    logging.getLogger("celery.worker").warning("lost %s", "broker")
    line = json.loads(capsys.readouterr().out)
    assert (line["event"], line["logger"], line["process"]) == ("lost broker", "celery.worker", "worker")


def test_a_traceback_stays_on_its_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json")
    try:
        int("why")
    except ValueError:
        structlog.get_logger("app.test").exception("failed")
    (line,) = capsys.readouterr().out.splitlines()
    assert "ValueError: invalid literal" in json.loads(line)["exception"]


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING", "json")
    structlog.get_logger("app.test").info("noise")
    assert capsys.readouterr().out == ""


def test_a_terminal_gets_colours_instead_of_json(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "console")
    structlog.get_logger("app.test").info("hello", answer=42)
    out = capsys.readouterr().out
    assert "hello" in out
    assert not out.startswith("{")


def test_no_format_shows_the_values_of_local_variables(capsys: pytest.CaptureFixture[str]) -> None:
    for log_format in ("console", "json"):
        configure_logging("INFO", log_format)
        password = "correct " + "horse"
        try:
            int("why" if password else "")
        except ValueError:
            structlog.get_logger("app.test").exception("failed")
    assert "correct horse" not in capsys.readouterr().out
