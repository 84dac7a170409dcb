"""docs/reliability.md names tests that exist, and tables as the kill suite prints them."""

import re
from pathlib import Path

import pytest

from tests.chaos.__main__ import FAULTS, TASKS
from tests.chaos.report import HEAD, LEGEND
from tests.chaos.system import SETTINGS

ROOT = Path(__file__).resolve().parents[3]
TEXT = (ROOT / "docs" / "reliability.md").read_text(encoding="utf-8")
PROMISED = TEXT.partition("## What is promised")[2].partition("\n## ")[0]
PROMISES = [line.split(" | ") for line in PROMISED.splitlines() if " | " in line][1:]


@pytest.mark.parametrize("promise", PROMISES, ids=lambda promise: promise[0].strip("| "))
def test_every_promise_names_tests_that_exist(promise: list[str]) -> None:
    words = re.findall(r"`([^`]+)`", promise[2])
    files = [word for word in words if word.endswith(".py")]
    assert files
    code = "".join((ROOT / file).read_text(encoding="utf-8") for file in files)
    tests = [word for word in words if word.startswith("test_")]
    assert tests
    assert [name for name in tests if f"def {name}(" not in code] == []


@pytest.mark.parametrize("system", ["Conveyor", "stock Celery and Redis"])
def test_the_tables_are_of_the_suites_own_making(system: str) -> None:
    block = TEXT.partition(f"<!-- {system} -->")[2].partition(f"<!-- end of {system} -->")[0]
    figures = dict(re.findall(r"^\| ([^|]+?) \| ([^|]+?) \|$", block, re.MULTILINE))
    assert f"| {' | '.join(HEAD)} |" in block
    assert int(figures["faults"]) >= FAULTS
    assert int(figures["tasks accepted (202)"]) >= TASKS
    harm = [int(figures[name]) for name in ("lost", "doubled", "done without having been accepted")]
    if system != "Conveyor":
        assert sum(harm) > 0
    else:
        assert [*harm, int(figures["left open, in the ledger or in Redis"])] == [0, 0, 0, 0]


def test_what_the_columns_mean_is_said_as_the_suite_says_it() -> None:
    assert LEGEND in TEXT


def test_the_delays_of_the_suite_are_the_ones_named() -> None:
    assert SETTINGS["TASK_LEASE_SECONDS"] == SETTINGS["TASK_REDELIVERY_SECONDS"] == "3"
    assert (SETTINGS["VISIBILITY_TIMEOUT_SECONDS"], SETTINGS["TASK_RETRY_DELAY_SECONDS"]) == ("10", "1")
