"""The results as text, for a terminal and as the page docs/performance.md."""

from collections.abc import Callable, Sequence
from pathlib import Path

from bench.results import Run
from bench.tables import Rows, for_markdown, for_terminal

# Above this the figures say more about the other work than about Conveyor.
NOTABLE_SHARE = 0.1

PREFACE = """\
# Performance

Written by `make bench`, which starts a system of its own with the settings as they come, on one machine:
three MySQL servers in one group (each commit is synced to disk and agreed on by a majority), Redis,
HAProxy, three API processes, two workers with two children each, two relays, Flower and Prometheus. All of
them, and the client, share the cores below, so a rate is what the whole system gives there. Aims are
printed, not asserted.

- **at rest**: nobody asks anything.
- **idle latency**: a client sends `POST /api/users/{id}/create-product`, asks for the task every 2 ms until
  it has succeeded, rests for 20 ms and sends the next one. The ledger's times are the database's own.
- **accept**: connections that are kept alive send the same request through HAProxy, each the next one at
  the answer to the last (closed loop). Only `202` with a task id counts. *Workers held*: they are loaded
  but stopped by a signal, so that accepting is measured alone.
- **end to end**: the tasks wait in the queue, then the held workers are let go.
- **memory**: resident memory; a forked child counts the pages it shares with its parent as well.
- **transport**: tasks that do nothing wait in a Redis of their own; a worker of two processes works them off
  with the safe transport and with kombu's own, by turns. Commands inside a script count one by one.
- **peers**: what people would pick instead ([bench/peers](../bench/peers/README.md)), on this machine and
  this MySQL group, by turns: requests are accepted while no worker runs, through three API processes, then
  fresh workers work the tasks off. Rate and CPU are without the first fifth of the tasks; Redis commands
  and transactions of the primary are of the whole turn, from the requests to the last acknowledgement.
  Tables show the middle turn, and in brackets the least and the most.
- **kills**: the same tasks while their workers are killed with all their children, again and again at
  random moments; *lost* are accepted tasks without a row when nothing moves any more, *doubled* those
  with several.
- **extras**: a fresh worker works off the same tasks as it comes (its metrics asked for by Prometheus every
  5 s), without metrics (`WORKER_METRICS_PORT=0`), without a log line per task (`LOG_LEVEL=WARNING`) and with
  traces that a collector takes, by turns; each turn is compared with the one beside it. The first fifth of
  the tasks is left out of the rate.
- **bulk**: tasks accepted by `POST /api/users/create-products`, 1,000 per request on one connection, beside
  one per request on eight, by turns.
- **costs**: what one task takes from each part, from its request to its end; [scaling](scaling.md) reckons
  with it.
- **start**: processes are started beside the system's own until they answer, or consume; then a second
  system, until all of it is ready, with its data there and without.

Only where they are asked for (`make bench OPTIONS="--scenario growth"`):

- **footprint**: what each process keeps after every tenth of 200,000 tasks.
- **growth**: accepting with the workers held, then working off, with empty tables, with 5,000,000 rows in
  each of them, and with 100,000 tasks waiting besides.

After each run every accepted task is checked: it succeeded, and its user has exactly one product of it."""


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


def write_report(file: Path, machine: Sequence[tuple[str, str]], runs: Sequence[Run]) -> None:
    """Write the page, and its pictures beside it."""
    file.write_text(markdown_report(machine, runs), encoding="utf-8")
    for chart in (chart for run in runs for chart in run.charts):
        picture = file.parent / "images" / chart.file
        picture.parent.mkdir(exist_ok=True)
        picture.write_text(chart.svg, encoding="utf-8")


def markdown_report(machine: Sequence[tuple[str, str]], runs: Sequence[Run]) -> str:
    sections = [
        PREFACE,
        "## Machine",
        for_markdown([("", ""), *machine]),
        "## Figures",
        for_markdown(figure_rows(runs)),
        "## What limits each figure",
        limits(runs),
        "## CPU seconds",
        for_markdown(cpu_rows(runs), numbers_right=True),
    ]
    details = [part for run in runs for part in details_of(run)]
    return "\n\n".join([*sections, *details]) + "\n"


def details_of(run: Run) -> list[str]:
    """Return the tables of a run and its pictures, which lie in a folder beside the report."""
    tables = [
        part
        for table in run.tables
        for part in (f"## {table.title}", for_markdown(table.rows, numbers_right=table.numbers_right))
    ]
    return [*tables, *(f"![{chart.title}](images/{chart.file})" for chart in run.charts)]


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
