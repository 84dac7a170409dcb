"""The page of figures keeps what people wrote, and renews what was measured."""

from dataclasses import replace
from pathlib import Path

import pytest

from bench.failure import BenchError
from bench.machine import LOAD, MEASURED, commit
from bench.page import begin, end, write_page
from bench.results import Chart, Figure, Run, Table
from bench.scenarios import SCENARIOS
from bench.usage import Load, Usage
from stack.supervisor import ROOT

MACHINE = [("cores", "2 of something"), (MEASURED, "2026-11-26, commit abc"), (LOAD, "0.1 0.2 0.3")]
PAGE = ROOT / "docs" / "performance.md"


def run(value: str = "9 ms") -> Run:
    load = Load(10.0, 2, 100, 5.0, 0.0, {"api-1": Usage("api", 1, 1, 4.0)})
    return Run("idle", "idle", [Figure("latency", value)], load, "The cores.")


def place(name: str) -> str:
    return f"{begin(name)}\n{end(name)}"


def test_what_was_measured_takes_the_place_of_the_old_figures_and_of_nothing_else(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    bulk = f"{begin('bulk')}\nold\n{end('bulk')}"
    page.write_text(
        f"# Figures\n\n{place('machine')}\n\nWhy.\n\n{place('rest')}\n\n{bulk}\n", encoding="utf-8"
    )
    write_page(page, MACHINE, {"rest": [run()]})
    write_page(page, MACHINE, {"rest": [run("7 ms")]})
    text = page.read_text(encoding="utf-8")
    assert "Why." in text
    assert "\nold\n" in text
    assert "2 of something" in text
    assert "Measured 2026-11-26, commit abc; load average before: 0.1 0.2 0.3." in text
    assert "| idle | latency | 7 ms |  |" in text
    assert "9 ms" not in text
    assert "- idle: The cores." in text


def test_a_page_without_a_place_for_it_is_named_and_left_as_it_is(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(place("machine"), encoding="utf-8")
    with pytest.raises(BenchError, match="no place for rest: put <!-- rest"):
        write_page(page, MACHINE, {"rest": [run()]})
    assert page.read_text(encoding="utf-8") == place("machine")


def test_a_page_that_is_not_there_is_made_with_tables_and_pictures(tmp_path: Path) -> None:
    chart = Chart("a.svg", "how fast", "<svg/>")
    shown = replace(run(), tables=[Table("Peers", [["who"], ["celery"]])], charts=[chart])
    write_page(tmp_path / "page.md", MACHINE, {"peers": [shown]})
    text = (tmp_path / "page.md").read_text(encoding="utf-8")
    assert "**Peers**\n\n| who |\n| --- |\n| celery |" in text
    assert "![how fast](images/a.svg)" in text
    assert (tmp_path / "images" / "a.svg").read_text(encoding="utf-8") == "<svg/>"


def test_our_page_has_a_place_for_every_scenario() -> None:
    text = PAGE.read_text(encoding="utf-8")
    places = [
        name for name in ("machine", *SCENARIOS) if text.count(begin(name)) == text.count(end(name)) == 1
    ]
    assert places == ["machine", *SCENARIOS]


def test_what_is_measured_is_known_by_its_commit() -> None:
    assert commit()
