"""Lines reach the output whole, or not at all; nobody's work ends for one."""

import errno
import io
import json
import logging
import sys
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from structured_logging.configuration import LogFormat, configure_logging

LINES = 200


class FullDisk(io.StringIO):
    """A mock of a file on a disk without room, which the tests cannot fill."""

    def write(self, text: str) -> int:
        raise OSError(errno.ENOSPC, text)


class Interrupted(io.StringIO):
    """A mock of a buffer that a signal's handler finds in the middle of a write."""

    def write(self, text: str) -> int:
        raise RuntimeError("reentrant call", text)


def closed() -> io.StringIO:
    stream = io.StringIO()
    stream.close()
    return stream


@pytest.mark.parametrize(
    "stream", [FullDisk(), Interrupted(), closed()], ids=["full", "interrupted", "closed"]
)
def test_what_cannot_be_written_ends_nothing(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> None:
    monkeypatch.setattr(sys, "stdout", stream)
    configure_logging("INFO", "json")
    structlog.get_logger("app.test").error("lost")
    logging.getLogger("library").error("lost")


class Unshowable:
    """A mock of an object of somebody's library."""

    def __repr__(self) -> str:
        raise AttributeError("not loaded")


class UnshowableError(Exception):
    """A mock of an exception of somebody's library."""

    def __str__(self) -> str:
        raise AttributeError("not loaded")


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize(
    "value", [Unshowable(), UnshowableError(), {(1, 2): 3}], ids=["object", "exception", "keys"]
)
def test_what_cannot_be_shown_ends_nothing(log_format: LogFormat, value: object) -> None:
    configure_logging("INFO", log_format, with_text=True)
    structlog.get_logger("app.test").error("lost", value=value)
    logging.getLogger("library").error("%r", value)


def test_lines_of_ours_and_of_libraries_stay_whole(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json")
    ours, theirs = structlog.get_logger("ours"), logging.getLogger("theirs")
    with ThreadPoolExecutor(4) as threads:
        for number in range(LINES):
            threads.submit(ours.info, "said", text="x" * 10_000, number=number)
            threads.submit(theirs.warning, "%s", "y" * 1_000)
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sorted(line["logger"] for line in lines) == ["ours"] * LINES + ["theirs"] * LINES


@pytest.mark.parametrize("level", ["debug", "info", "warning", "error", "critical", "exception"])
def test_a_logger_without_a_name_logs_at_every_level(capsys: pytest.CaptureFixture[str], level: str) -> None:
    configure_logging("DEBUG", "json")
    getattr(structlog.get_logger(), level)("said")
    line = json.loads(capsys.readouterr().out)
    assert (line["logger"], line["level"]) == ("root", level.replace("exception", "error"))


def test_both_write_the_same_fields(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("INFO", "json", process="api")
    with structlog.contextvars.bound_contextvars(request_id="r1"):
        for log in (structlog.get_logger("some.module"), logging.getLogger("some.module")):
            try:
                int("why")
            except ValueError:
                log.exception("failed after %d s", 3)
    ours, theirs = map(json.loads, capsys.readouterr().out.splitlines())
    assert ours.keys() == theirs.keys()
    differing = {name for name in ours if ours[name] != theirs[name]}
    assert differing <= {"timestamp"}
    assert ours["event"] == "failed after 3 s"
