"""Processes that end badly say so in the form of the log."""

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.unit.compose.conftest import ROOT

BEGIN = """
import sys, threading
from structured_logging.configuration import begin
from app.settings import load_settings
begin("trial", load_settings, replica="replica_name")
"""
ENVIRONMENT = {"DB_PASSWORD": "hunter2-of-mysql", "REPLICA_NAME": "trial-1", "PATH": os.environ["PATH"]}


def output_of(*arguments: str, **environment: str) -> str:
    """Run Python, which has to leave stderr alone."""
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=ROOT,
        env={**ENVIRONMENT, **environment},
        check=False,
        timeout=60,
        capture_output=True,
        text=True,
    )
    assert done.stderr == ""
    return done.stdout


def lines_of(*arguments: str, **environment: str) -> list[dict[str, Any]]:
    """Run Python; every line has to be JSON."""
    return [json.loads(line) for line in output_of(*arguments, **environment).splitlines()]


def test_an_uncaught_exception_is_one_line() -> None:
    (line,) = lines_of("-c", f"{BEGIN}\nraise ValueError('hunter2-of-mysql')")
    assert (line["level"], line["process"], line["replica"]) == ("critical", "trial", "trial-1")
    assert line["exception"].endswith("ValueError")


def test_so_is_one_of_a_thread() -> None:
    (line,) = lines_of("-c", f"{BEGIN}\nthreading.Thread(target=lambda: 1 / 0).start()")
    assert line["event"] == "uncaught exception"
    assert line["exception"].endswith("ZeroDivisionError")


def test_last_words_are_one_line_however_many_they_are() -> None:
    (line,) = lines_of("-c", f"{BEGIN}\nraise SystemExit('it is\\nall over')")
    assert (line["event"], line["level"]) == ("it is\nall over", "error")


def test_what_a_library_prints_for_people_is_a_line() -> None:
    program = "print('a', 'b', file=sys.stderr)\nsys.stderr.write('c')\nsys.stderr.write('d\\n')"
    said = lines_of("-c", f"{BEGIN}\n{program}")
    assert [line["event"] for line in said] == ["a b", "cd"]


@pytest.mark.parametrize(
    ("module", "variable"),
    [
        ("app", "DB_PASSWORD"),
        ("worker", "DB_PASSWORD"),
        ("worker.relay", "DB_PASSWORD"),
        ("worker.flower", "DB_PASSWORD"),
        ("app.migrations", "DB_PASSWORD"),
        ("app.migrations.wait", "DB_PASSWORD"),
        ("app.credentials", "CREDENTIALS_NAMESPACE"),
        ("app.credentials.rotation", "CREDENTIALS_NAMESPACE"),
        ("mysql_agent", "MYSQL_AGENT_PASSWORD"),
        ("mysql_agent.initialize", "MYSQL_INIT_DATADIR"),
        ("mysql_agent.accounts", "MYSQL_ACCOUNTS_FILE"),
        ("mysql_archive", "MYSQL_ARCHIVE_HOST"),
        ("certificates", "CERTIFICATES_DIRECTORY"),
    ],
)
def test_a_process_without_its_settings_says_so_in_its_log(module: str, variable: str) -> None:
    said = lines_of("-m", module, DB_PASSWORD="")
    assert variable in str(said)
    assert all({"timestamp", "level", "event", "process"} <= set(line) for line in said)


def test_a_setting_that_is_wrong_does_not_show_a_secret_that_is_right() -> None:
    (line,) = lines_of("-m", "app", SECRET_KEY="hunter2", API_PORT="many")
    assert "API_PORT" in line["event"]
    assert "hunter2" not in str(line)


@pytest.mark.parametrize("module", ["app", "app.credentials", "app.credentials.rotation", "mysql_agent"])
def test_a_level_that_does_not_exist_is_told_like_any_other_fault(module: str) -> None:
    (line,) = lines_of("-m", module, LOG_LEVEL="info", DB_PASSWORD="")
    assert "LOG_LEVEL: Input should be" in line["event"]


def test_a_process_without_a_setting_for_the_format_has_that_of_its_environment() -> None:
    program = """
import logging
from pydantic_settings import BaseSettings
from structured_logging.configuration import begin
begin("trial", BaseSettings)
logging.warning("for people")
"""
    assert not output_of("-c", program, LOG_FORMAT="console").startswith("{")
