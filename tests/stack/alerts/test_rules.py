"""Prometheus' own tests of the rules: each alert is silent while all is well, and fires when it is not."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from docs.alerts import alerts
from docs.metric_uses import RULES
from stack.packages import find_daemons

TESTS = Path(__file__).parent / "rules"
FILES = sorted(RULES.glob("*.yaml"))


@pytest.fixture(scope="module")
def promtool() -> tuple[str, ...]:
    return find_daemons(lambda _: None).tool("promtool")


def run(*command: str) -> str:
    ended = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout


def cases(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = yaml.safe_load((TESTS / file.name).read_text(encoding="utf-8"))["tests"]
    return found


def test_prometheus_reads_the_rules(promtool: tuple[str, ...]) -> None:
    said = run(*promtool, "check", "rules", "--lint=all", "--lint-fatal", *map(str, FILES))
    assert said.count("SUCCESS") == len(FILES)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_the_alerts_fire_when_they_should(promtool: tuple[str, ...], file: Path) -> None:
    assert "SUCCESS" in run(*promtool, "test", "rules", str(TESTS / file.name))


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_a_group_is_tested_against_its_own_rules(file: Path) -> None:
    document = yaml.safe_load((TESTS / file.name).read_text(encoding="utf-8"))
    assert [(TESTS / path).resolve() for path in document["rule_files"]] == [file]


@pytest.mark.parametrize("name", sorted({alert.name for alert in alerts()}))
def test_every_alert_is_seen_silent_and_firing(name: str) -> None:
    questions = [
        question
        for file in FILES
        for case in cases(file)
        if case["name"].startswith(f"{name}: ")
        for question in case["promql_expr_test"]
    ]
    asked = f'ALERTS{{alertname="{name}", alertstate="firing"}}'
    assert all(asked in question["expr"] for question in questions)
    assert any(question["exp_samples"] == [] for question in questions)
    assert any(question["exp_samples"] for question in questions)


def test_every_severity_of_an_alert_is_seen_firing() -> None:
    twice = {(alert.name, alert.severity) for alert in alerts() if alert.name.endswith("Budget")}
    seen = {
        (case["name"].partition(":")[0], severity)
        for case in (case for file in FILES for case in cases(file))
        for severity in re.findall(r'severity="(\w+)"', str(case["promql_expr_test"]))
    }
    assert len(twice) == 6
    assert seen == twice
