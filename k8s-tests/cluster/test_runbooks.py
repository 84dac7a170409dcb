"""Whoever is called at night types what the runbooks say, and gets an answer."""

import re
from pathlib import Path

import pytest

from cluster.handbook import Handbook
from cluster.shell import Shell
from release import ROOT, Release

RUNBOOKS = ROOT / "docs" / "runbooks"
# a forwarded port stays open until its shell ends it
PRELUDE = "trap 'kill $(jobs -p) 2> /dev/null' EXIT\n"
PAGE_SECONDS = 120
FAULT = re.compile(r"^(?:error|unable to|curl: |bash: ).*", re.IGNORECASE | re.MULTILINE)
# there is none as long as nothing has gone wrong
EXCUSED = "previous terminated container"
SELECTED = re.compile(r"component=(\w+)")
COMPONENTS = ("redis", "relay", "worker", "mysql")


def commands(page: Path) -> str:
    """Return what is typed in Kubernetes to find the cause."""
    _, _, text = page.read_text(encoding="utf-8").partition("In Kubernetes:\n")
    return "\n".join(re.findall(r"^\$ (.*)$", text.partition("With `make up`:")[0], re.MULTILINE))


def component(page: Path) -> str:
    """Return what POD stands for: a pod of the component that the page is about, or asks for."""
    asked_for = SELECTED.search(commands(page))
    about = [name for name in COMPONENTS if name in page.stem.lower()]
    return next(iter(about), asked_for[1] if asked_for else "api")


# what fires with `make up` alone has no command for Kubernetes
PAGES = [page for page in sorted(RUNBOOKS.glob("Conveyor*.md")) if commands(page)]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_what_finds_the_cause_can_be_typed_as_it_stands(page: Path, release: Release, shell: Shell) -> None:
    pods = release.pods(component(page)) or release.pods("api")
    script = commands(page).replace("POD", pods[0].name).replace("NAMESPACE", release.kube.namespace)
    ended = shell.run(PRELUDE + script, "-c", {}, PAGE_SECONDS)
    faults = [line for line in FAULT.findall(ended.stderr) if EXCUSED not in line]
    assert not faults, script


def test_what_a_member_does_now_is_shown_to_who_asks_as_its_agent(shell: Shell) -> None:
    page = Handbook(ROOT / "docs" / "operations.md", shell)
    assert "conveyor_agent" in page.follow("What a member does now")
