import json
import logging
import warnings

import pytest
import structlog

from structured_logging.configuration import configure_logging


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
    assert json.loads(line)["exception"].endswith('int("why")\nValueError')


def test_the_texts_of_exceptions_are_shown_to_those_who_ask_for_them(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging("INFO", "json", with_text=True)
    try:
        int("why")
    except ValueError as error:
        logging.getLogger("library").exception("failed")
        structlog.get_logger("app.test").info("failed", error=error)
    traceback, field = map(json.loads, capsys.readouterr().out.splitlines())
    text = "ValueError: invalid literal for int() with base 10: 'why'"
    assert traceback["exception"].endswith(text)
    assert field["error"] == text


def test_warnings_are_lines_of_the_log(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json", process="api")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("this will go away", DeprecationWarning, stacklevel=1)
    line = json.loads(capsys.readouterr().out)
    assert "DeprecationWarning: this will go away" in line["event"]
    assert (line["level"], line["process"]) == ("warning", "api")


@pytest.mark.parametrize("text", ["line\u2028line", "\x9b31m", "\udc80", "a\nb", "\x7f", "\u202egpj.exe"])
def test_no_text_ends_a_line_or_moves_a_cursor(capsys: pytest.CaptureFixture[str], text: str) -> None:
    configure_logging("INFO", "json")
    structlog.get_logger("app.test").info("request", path=text)
    out = capsys.readouterr().out
    assert len(out.splitlines()) == 1
    assert json.loads(out)["path"] == text
    assert all(character.isprintable() for character in out.strip())


@pytest.mark.parametrize(
    "value", [float("nan"), float("inf"), {"nested": float("-inf")}, object(), {1, 2}, {(1, 2): "a pair"}]
)
def test_values_that_json_does_not_know_make_no_line_invalid(
    capsys: pytest.CaptureFixture[str], value: object
) -> None:
    configure_logging("INFO", "json")
    structlog.get_logger("app.test").info("measured", value=value, answer=42)

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    line = json.loads(capsys.readouterr().out, parse_constant=refuse)
    assert line["answer"] == 42
    assert isinstance(line["value"], str)


@pytest.mark.parametrize("value", ["x" * 1_000_000, "\x7f" * 1500, ["x" * 1000] * 1000, {"a": "ü" * 100_000}])
def test_a_line_is_no_longer_than_what_container_engines_keep_in_one(
    capsys: pytest.CaptureFixture[str], value: object
) -> None:
    configure_logging("INFO", "json")
    fields = {f"field{number}": value for number in range(8)}
    structlog.get_logger("app.test").info("long", **fields)
    (line,) = capsys.readouterr().out.splitlines()
    assert len(line.encode()) < 16 * 1024
    assert json.loads(line)["event"] == "long"


def test_a_terminal_is_not_steered_by_what_a_client_sent(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "console")
    structlog.get_logger("app.test").info("request", path="/\x1b]0;title\x07")
    assert "\x1b]0" not in capsys.readouterr().out


def test_asyncio_does_not_show_what_an_exception_quotes(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json")
    logging.getLogger("asyncio").error("Task exception was never retrieved\nfuture: ValueError('hunter2')")
    assert json.loads(capsys.readouterr().out)["event"] == "Task exception was never retrieved"


def test_lines_below_the_level_are_left_out(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("WARNING", "json")
    structlog.get_logger("app.test").info("noise")
    assert capsys.readouterr().out == ""


def test_the_level_holds_for_those_that_are_kept_quiet_as_well(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("ERROR", "json")
    logging.getLogger("kombu").warning("noise")
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
