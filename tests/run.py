"""Run the tiers of tests: `python -m tests.run [tier …]`, all of them by default."""

# ruff: noqa: T201 - a command line program prints

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
YAMLLINT = "{extends: default, rules: {line-length: {max: 120}, document-start: disable}}"
PYTEST_TIERS = ("unit", "stack", "ui")
CHROMIUM = ("chromium", "chromium-browser", "google-chrome")


@dataclass(frozen=True)
class Tier:
    """A kind of tests, and what keeps it from running on this machine."""

    name: str
    run: Callable[[], bool]
    obstacle: Callable[[], str] = str  # none


@dataclass(frozen=True)
class Outcome:
    tier: str
    passed: bool
    seconds: float
    skipped: str = ""

    def __str__(self) -> str:
        if self.skipped:
            return f"{self.tier} skipped ({self.skipped})"
        return f"{self.tier} {'passed' if self.passed else 'FAILED'} in {self.seconds:.0f} s"


def tiers() -> list[Tier]:
    obstacles = {"ui": _no_chromium}
    present = [name for name in PYTEST_TIERS if any((ROOT / "tests" / name).glob("**/test_*.py"))]
    return [Tier("lint", _lint), *(Tier(name, _pytest(name), obstacles.get(name, str)) for name in present)]


def main(names: Sequence[str]) -> int:
    known = {tier.name: tier for tier in tiers()}
    if unknown := set(names) - set(known):
        print(f"error: no tier is called {', '.join(sorted(unknown))}; there are: {', '.join(known)}")
        return 2
    os.chdir(ROOT)
    _command("coverage", "erase")
    outcomes = [_run(known[name]) for name in names or known]
    ran = {outcome.tier for outcome in outcomes if not outcome.skipped}
    if ran == set(known):  # a part of the tests covers a part of the code
        outcomes.append(_run(Tier("coverage", _coverage)))
    print(f"\ntiers: {' · '.join(map(str, outcomes))}")
    return 0 if all(outcome.passed for outcome in outcomes) else 1


def _run(tier: Tier) -> Outcome:
    if reason := tier.obstacle():
        # on a developer's machine a tier may be skipped; where it decides, it may not
        return Outcome(tier.name, passed=not os.environ.get("CI"), seconds=0, skipped=reason)
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
    return lambda: _command("coverage", "run", "-m", "pytest", f"tests/{tier}")


def _no_chromium() -> str:
    found = any(map(shutil.which, CHROMIUM))
    return "" if found else "no Chromium: apt-get install chromium"


def _coverage() -> bool:
    return _command("coverage", "combine", "--quiet") and _command("coverage", "report")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
