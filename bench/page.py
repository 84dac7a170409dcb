"""The results in docs/performance.md: each scenario has a place there, which is renewed by itself."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from bench.failure import BenchError
from bench.machine import LOAD, MEASURED
from bench.report import cpu_rows, figure_rows, limits
from bench.results import Run
from bench.tables import for_markdown

MACHINE = "machine"
Facts = Sequence[tuple[str, str]]


def write_page(file: Path, machine: Facts, measured: Mapping[str, Sequence[Run]]) -> None:
    """Renew the places of what was measured, and the pictures beside the page; make one where there is none.

    Raises:
        BenchError: the page has no place for one of them.
    """
    parts = {MACHINE: for_markdown([("", ""), *machine])}
    parts |= {name: part_of(machine, runs) for name, runs in measured.items()}
    text = file.read_text(encoding="utf-8") if file.exists() else empty_page(parts)
    for name, part in parts.items():
        text = replaced(text, name, part)
    file.write_text(text, encoding="utf-8")
    for chart in (chart for runs in measured.values() for run in runs for chart in run.charts):
        picture = file.parent / "images" / chart.file
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(chart.svg, encoding="utf-8")


def empty_page(names: Mapping[str, object]) -> str:
    places = "\n\n".join(f"## {name.capitalize()}\n\n{begin(name)}\n{end(name)}" for name in names)
    return f"# Performance\n\n{places}\n"


def replaced(text: str, name: str, part: str) -> str:
    before, found, rest = text.partition(begin(name))
    _, closed, after = rest.partition(end(name))
    if not (found and closed):
        raise BenchError(f"the page has no place for {name}: put {begin(name)} and {end(name)} into it")
    return f"{before}{begin(name)}\n\n{part}\n\n{end(name)}{after}"


def begin(name: str) -> str:
    return f"<!-- {name}: written by `make bench` -->"


def end(name: str) -> str:
    return f"<!-- end of {name} -->"


def part_of(machine: Facts, runs: Sequence[Run]) -> str:
    """Return the figures of a scenario, what limited them, and what they took."""
    known = dict(machine)
    tables = [
        part
        for run in runs
        for table in run.tables
        for part in (f"**{table.title}**", for_markdown(table.rows, numbers_right=table.numbers_right))
    ]
    pictures = [f"![{chart.title}](images/{chart.file})" for run in runs for chart in run.charts]
    folded = ["<details><summary>CPU seconds</summary>", for_markdown(cpu_rows(runs), numbers_right=True)]
    return "\n\n".join(
        (
            f"Measured {known[MEASURED]}; load average before: {known[LOAD]}.",
            for_markdown(figure_rows(runs)),
            *pictures,
            "What limited it:",
            limits(runs),
            *tables,
            *folded,
            "</details>",
        )
    )
