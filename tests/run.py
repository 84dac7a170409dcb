"""Run the tiers of tests: `python -m tests.run [--require-cluster] [tier …]`, all of them by default."""

# ruff: noqa: T201 - a command line program prints

import argparse
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TOOLS = Path(sys.executable).parent
YAMLLINT_RULES = "line-length: {max: 120}, document-start: disable, truthy: {check-keys: false}"
YAMLLINT = f"{{extends: default, rules: {{{YAMLLINT_RULES}}}}}"
WORKFLOWS = ".github/workflows"
PYTEST_TIERS = {
    "unit": ["tests/unit"],
    "chart": ["k8s-tests/chart"],
    "stack": ["tests/stack"],
    "chaos": ["tests/chaos"],
    "failover": ["tests/failover"],
    "ui": ["tests/ui"],
    "cluster": ["k8s-tests/machines", "k8s-tests/cluster"],
}
# the tiers that run the code that coverage is asked of
COVERED = {"unit", "stack", "ui"}
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Tier:
    """A kind of tests, and what keeps it from running on this machine."""

    name: str
    run: Callable[[], bool]
    obstacle: Callable[[], str] = str  # none
    required_by: str = "CI"  # the environment variable by which it may not be skipped


@dataclass(frozen=True)
class Outcome:
    tier: str
    passed: bool
    seconds: float
    skipped: str = ""

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.tier} {'skipped' if self.passed else 'FAILED'} ({self.skipped})"
        return f"{self.tier} {'passed' if self.passed else 'FAILED'} in {self.seconds:.0f} s"


def tiers() -> list[Tier]:
    return [
        Tier("lint", _lint),
        Tier("unit", _covered("unit")),
        Tier("chart", _pytest("chart")),
        Tier("stack", _covered("stack")),
        Tier("chaos", _pytest("chaos")),
        Tier("failover", _pytest("failover")),
        Tier("ui", _covered("ui"), _no_chromium),
        Tier("cluster", _pytest("cluster"), _no_cluster, "REQUIRE_CLUSTER"),
    ]


def main(arguments: Sequence[str]) -> int:
    known = {tier.name: tier for tier in tiers()}
    options = _parse(arguments, list(known))
    if options.require_cluster:
        os.environ["REQUIRE_CLUSTER"] = "1"
    os.chdir(ROOT)
    _command("coverage", "erase")
    outcomes = [run_tier(known[name]) for name in options.tiers or known]
    ran = {outcome.tier for outcome in outcomes if not outcome.skipped}
    if ran >= COVERED:  # a part of the tests covers a part of the code
        outcomes.append(run_tier(Tier("coverage", _coverage)))
    print(f"\ntiers: {' · '.join(map(str, outcomes))}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _parse(arguments: Sequence[str], known: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="tests.run", description=__doc__)
    parser.add_argument("--require-cluster", action="store_true", help="a missing cluster is a failure")
    parser.add_argument("tiers", nargs="*", metavar="tier", help=", ".join(known))
    options = parser.parse_args(arguments)
    if unknown := sorted(set(options.tiers) - set(known)):
        parser.error(f"no tier is called {', '.join(unknown)}; there are: {', '.join(known)}")
    return options


def run_tier(tier: Tier) -> Outcome:
    if reason := tier.obstacle():
        # on a developer's machine a tier may be skipped; where it decides, it may not
        return Outcome(tier.name, passed=not os.environ.get(tier.required_by), seconds=0, skipped=reason)
    print(f"\n──── {tier.name} ────", flush=True)
    started = time.monotonic()
    passed = tier.run()
    return Outcome(tier.name, passed, time.monotonic() - started)


def _command(*argv: str) -> bool:
    """Run one of the tools of the virtual environment."""
    return subprocess.call([str(TOOLS / argv[0]), *argv[1:]]) == 0


def _lint() -> bool:
    scripts = _tracked("*.sh", ".ci/run")
    yamls = [path for path in _tracked("*.yaml", "*.yml") if "/templates/" not in path]
    commands = [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        ("mypy",),
        ("lint-imports", "--no-logo", "--cache-dir", ".cache/import-linter"),
        ("typos",),
        *([("shellcheck", *scripts)] if scripts else []),
        *([("yamllint", "--strict", "-d", YAMLLINT, *yamls)] if yamls else []),
        ("zizmor", "--offline", "--no-progress", "--quiet", "--min-severity=medium", WORKFLOWS),
        # there is no wheel of it for other machines than x86-64
        *([("hadolint", "Dockerfile")] if (TOOLS / "hadolint").exists() else []),
    ]
    results = {" ".join(command[:2]): _command(*command) for command in commands}
    if failed := [name for name, passed in results.items() if not passed]:
        print(f"failed: {', '.join(failed)}")
    return not failed


def _tracked(*patterns: str) -> list[str]:
    """List files under version control, or every file where there is no repository."""
    listed = subprocess.run(["git", "ls-files", "--", *patterns], capture_output=True, text=True, check=False)
    paths = listed.stdout.splitlines() or [
        str(path) for pattern in patterns for path in Path().glob(f"**/{pattern}")
    ]
    return [
        path for path in paths if Path(path).is_file() and not path.startswith((".venv", ".cache", ".stack"))
    ]


def _pytest(tier: str) -> Callable[[], bool]:
    return lambda: _command("pytest", *PYTEST_TIERS[tier])


def _covered(tier: str) -> Callable[[], bool]:
    return lambda: _command("coverage", "run", "-m", "pytest", *PYTEST_TIERS[tier])


def _no_chromium() -> str:
    found = any(map(shutil.which, CHROMIUM))
    return "" if found else "no Chromium: apt-get install chromium"


def _no_cluster() -> str:
    asked = subprocess.run(
        [sys.executable, "-c", "from node.provider import obstacle; print(obstacle())"],
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'k8s-tests'}:{ROOT}"},
        capture_output=True,
        text=True,
        check=False,
    )
    return (asked.stderr if asked.returncode else asked.stdout).strip()


def _coverage() -> bool:
    return _command("coverage", "combine", "--quiet") and _command("coverage", "report")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
