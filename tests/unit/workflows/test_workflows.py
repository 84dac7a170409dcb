"""What GitHub's workflows name exists; what zizmor says about them is part of the lint tier."""

import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.version import VERSION
from tests.run import tiers

ROOT = Path(__file__).resolve().parents[3]
RELEASE = ROOT / ".github" / "workflows" / "release.yaml"
FILES = sorted((ROOT / ".github" / "workflows").glob("*.yaml"))
PINNED = re.compile(r"^[\w-]+/[\w-]+@[0-9a-f]{40}  # v\d+\.\d+\.\d+$")


def jobs(path: Path) -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = yaml.safe_load(path.read_text(encoding="utf-8"))["jobs"]
    return found


def scripts(path: Path) -> str:
    steps = [step for job in jobs(path).values() for step in job.get("steps", ())]
    return "\n".join(step.get("run", "") for step in steps)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_action_is_pinned_to_a_commit_that_says_its_version(path: Path) -> None:
    used = re.findall(r"^ +(?:- )?uses: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    assert used
    own = [action for action in used if action.startswith("./")]
    assert [action for action in used if action not in own and not PINNED.match(action)] == []
    assert all((ROOT / action).exists() for action in own)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_job_can_run_for_hours(path: Path) -> None:
    endless = [name for name, job in jobs(path).items() if "uses" not in job and "timeout-minutes" not in job]
    assert endless == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_a_job_is_allowed_only_what_it_says(path: Path) -> None:
    document = yaml.safe_load(path.read_text(encoding="utf-8"))
    assert document["permissions"] in ({}, {"contents": "read"})


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_make_target_exists(path: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for target in re.findall(r"\bmake ([a-z-]+)", scripts(path)):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target


def test_every_tier_is_run_by_some_job() -> None:
    named = re.findall(r'TIERS="([^"]*)"', scripts(ROOT / ".github" / "workflows" / "test.yaml"))
    words = {word for names in named for word in names.split()}
    assert words - {"--require-cluster"} == {tier.name for tier in tiers()}
    assert "--require-cluster" in words


def run_version_step(tag: str, output: Path) -> int:
    [step] = [step for step in jobs(RELEASE)["version"]["steps"] if step.get("id") == "version"]
    environment = {"PATH": os.environ["PATH"], "GITHUB_REF_NAME": tag, "GITHUB_OUTPUT": str(output)}
    # as GitHub starts a step
    return subprocess.call(["bash", "-e", "-c", step["run"]], cwd=ROOT, env=environment, timeout=30)


def test_only_the_version_that_stands_everywhere_can_be_released(tmp_path: Path) -> None:
    output = tmp_path / "output"
    assert run_version_step(f"v{VERSION}", output) == 0
    assert output.read_text() == f"version={VERSION}\n"
    assert run_version_step("v99.0.0", output) == 1
