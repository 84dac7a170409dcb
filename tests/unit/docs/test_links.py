"""What the documents name exists: files, headings, metrics, make targets."""

import re
from pathlib import Path

import pytest

from mysql_agent.decision import Reason

ROOT = Path(__file__).resolve().parents[3]
DOCUMENTS = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").glob("*.md")),
    *sorted((ROOT / "docs" / "adr").glob("*.md")),
    *sorted((ROOT / "docs" / "runbooks").glob("*.md")),
]
IDS = [str(path.relative_to(ROOT)) for path in DOCUMENTS]
SOURCES = (
    "app",
    "worker",
    "mysql_agent",
    "stack",
    "examples",
    "docker",
    "tests",
    "k8s-tests",
    "charts",
    "docs",
    "grafana",
)
# made when Conveyor runs, or in a place of the reader's
MADE_LATER = {".env", "ca.pem"}


def anchors(document: Path) -> set[str]:
    headings = re.findall(r"^#+ (.*)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_link_leads_somewhere(document: Path) -> None:
    text = document.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)]+)\)", text):
        if target.startswith("https://"):
            continue
        path, _, anchor = target.partition("#")
        found = (document.parent / path).resolve() if path else document
        assert found.exists(), f"{target} in {document.name}"
        if anchor:
            assert anchor in anchors(found), f"{target} in {document.name}"


def test_every_picture_is_shown_and_every_shown_one_is_there() -> None:
    texts = [document.read_text(encoding="utf-8") for document in DOCUMENTS]
    shown = {name for text in texts for name in re.findall(r"images/([\w-]+\.(?:png|svg))", text)}
    assert shown == {picture.name for picture in (ROOT / "docs" / "images").iterdir()}


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_file_that_is_named_exists(document: Path) -> None:
    names = {path.name for source in SOURCES for path in (ROOT / source).rglob("*") if path.is_file()}
    names |= {path.name for path in ROOT.iterdir()} | MADE_LATER
    code = re.findall(r"`([^`\n]+)`", document.read_text(encoding="utf-8"))
    for word in code:
        if re.fullmatch(r"(?:[\w-]+/)+(?:[\w.-]+)?", word) and word.partition("/")[0] in SOURCES:
            assert (ROOT / word).exists(), f"{word} in {document.name}"
        elif re.fullmatch(r"(?:\./)?[\w-]*\.(?:py|sh|yaml|md|cfg|toml|pem)", word):
            assert word.removeprefix("./") in names, f"{word} in {document.name}"


def test_the_layout_names_every_folder_of_code() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    layout = text.rpartition("```")[0].rpartition("```")[2]
    named = set(re.findall(r"(?<!\S)[\w-]+(?=/)", layout))
    present = {
        folder.name
        for root in (ROOT, ROOT / "app")
        for folder in root.iterdir()
        if folder.is_dir() and list(folder.glob("*.py")) and not folder.name.startswith(("_", "."))
    }
    assert present - named <= {"bench", "docs"}
    assert {name for name in named if not ((ROOT / name).is_dir() or (ROOT / "app" / name).is_dir())} == set()


def test_every_reason_for_which_an_agent_waits_is_explained() -> None:
    text = (ROOT / "docs" / "database.md").read_text(encoding="utf-8")
    table = text.partition("## What an agent waits for")[2].partition("\n## ")[0]
    first_cells = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    explained = {name for cell in first_cells for name in re.findall(r"`(\w+)`", cell)}
    # with these it acts or serves
    acts = {Reason.COMPLETE, Reason.MEMBERS_MISSING, Reason.GROUP_FOUND, Reason.FOUNDER, Reason.FORCED}
    assert explained == set(Reason) - acts


@pytest.mark.parametrize("document", DOCUMENTS, ids=IDS)
def test_every_make_target_that_is_named_exists(document: Path) -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = re.findall(r"(?:`|\$ |make )make ([a-z-]+)", document.read_text(encoding="utf-8"))
    assert [target for target in named if not re.search(rf"^{target}:", makefile, re.MULTILINE)] == []


def test_every_decision_is_listed_with_its_title() -> None:
    folder = ROOT / "docs" / "adr"
    listed = dict(re.findall(r"\[\d{4}\]\(([\w.-]+)\) \| (.*) \|", (folder / "README.md").read_text()))
    titles = {
        path.name: path.read_text(encoding="utf-8").splitlines()[0].partition(". ")[2]
        for path in sorted(folder.glob("[0-9]*.md"))
    }
    assert listed == titles
    for path in titles:
        sections = re.findall(r"^## (.*)$", (folder / path).read_text(encoding="utf-8"), re.MULTILINE)
        assert sections[:3] == ["Context", "Decision", "Consequences"], path
