"""The results as text for a terminal."""

from collections.abc import Callable, Sequence

from bench.results import Run
from bench.tables import Rows, for_terminal

# Above this the figures say more about the other work than about Conveyor.
NOTABLE_SHARE = 0.1


def terminal_report(machine: Sequence[tuple[str, str]], runs: Sequence[Run]) -> str:
    head = "\n".join(f"{name}: {value}" for name, value in machine)
    details = [
        part
        for run in runs
        for table in run.tables
        for part in (table.title, for_terminal(table.rows, numbers_right=table.numbers_right))
    ]
    sections = [head, for_terminal(figure_rows(runs)), "what limits each figure", limits(runs)]
    sections += ["CPU seconds", for_terminal(cpu_rows(runs), numbers_right=True), *details]
    return "\n\n".join(sections)


def figure_rows(runs: Sequence[Run]) -> Rows:
    rows = [["run", "figure", "value", "aim"]]
    for run in runs:
        for number, figure in enumerate(run.figures):
            rows.append(["" if number else run.title, figure.what, figure.value, figure.verdict])
    return rows


def limits(runs: Sequence[Run]) -> str:
    return "\n".join(f"- {run.title}: {run.limit}{foreign_load(run)}" for run in runs)


def foreign_load(run: Run) -> str:
    share = run.load.other_seconds / run.load.capacity_seconds
    if share < NOTABLE_SHARE:
        return ""
    return f" Other work took {share:.0%} of the cores: measure again on a quiet machine."


def cpu_rows(runs: Sequence[Run]) -> Rows:
    """Return a column per run and a row per group of processes."""
    groups = dict.fromkeys(group for run in runs for group in run.load.by_group())
    rows = [["", *(run.label for run in runs)]]
    rows += [[group, *(f"{run.load.by_group().get(group, 0):.2f}" for run in runs)] for group in groups]
    totals: Sequence[tuple[str, Callable[[Run], str]]] = (
        ("all of these", lambda run: f"{run.load.own_seconds:.2f}"),
        ("other work on the machine", lambda run: f"{run.load.other_seconds:.2f}"),
        ("duration in s", lambda run: f"{run.load.seconds:.2f}"),
        ("share of the cores used", lambda run: f"{run.load.own_seconds / run.load.capacity_seconds:.0%}"),
        ("tasks", lambda run: str(run.load.tasks)),
        (
            "CPU seconds per 1,000 tasks",
            lambda run: f"{run.load.per_thousand_tasks:.2f}" if run.load.tasks else "-",
        ),
    )
    return [*rows, *([name, *(value(run) for run in runs)] for name, value in totals)]
