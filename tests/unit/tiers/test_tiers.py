import subprocess
import sys

import pytest

from tests import run
from tests.run import ROOT, Outcome, Tier, tiers


def never() -> bool:
    raise AssertionError("a tier ran in spite of its obstacle")


CLUSTER = Tier("cluster", never, lambda: "no Docker", "REQUIRE_CLUSTER")


def test_a_tier_that_cannot_run_is_skipped_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REQUIRE_CLUSTER", raising=False)
    outcome = run.run_tier(CLUSTER)
    assert outcome.passed
    assert str(outcome) == "cluster skipped (no Docker)"


def test_a_cluster_that_is_required_and_missing_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUIRE_CLUSTER", "1")
    outcome = run.run_tier(CLUSTER)
    assert not outcome.passed
    assert str(outcome) == "cluster FAILED (no Docker)"


def test_a_tier_says_how_long_it_took() -> None:
    assert str(Outcome("unit", passed=True, seconds=3.6)) == "unit passed in 4 s"
    assert str(Outcome("unit", passed=False, seconds=3.6)) == "unit FAILED in 4 s"


def test_every_tier_has_its_place_and_the_cluster_comes_last() -> None:
    names = ["lint", "unit", "chart", "stack", "chaos", "failover", "ui", "cluster"]
    assert [tier.name for tier in tiers()] == names


def test_a_tier_that_does_not_exist_is_refused_with_those_that_do() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.run", "units"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "no tier is called units; there are: lint, unit, chart" in done.stderr
