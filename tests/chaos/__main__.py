"""`python -m tests.chaos`: hurt a system under load, and count what it loses or does twice."""

# ruff: noqa: T201 - a command line program prints

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from stack.apt import AptError
from stack.interruption import EXIT_CODE, describe, interrupt_at_signals
from stack.packages import MissingDaemonError, find_daemons
from stack.part import StackError
from stack.ports import PortError
from stack.terminal import Progress
from tests.chaos.campaign import Campaign, Effort
from tests.chaos.plan import Kind, Plan, count_faults, make_plan
from tests.chaos.report import Run, renewed, terminal_report
from tests.chaos.system import FAILURE_LOG, keep_log, running_system

SEED = 20261124
TASKS, FAULTS = 20_000, 200
RATE = 20.0
STOCK_SETTLE_SECONDS = 25.0
STOCK_KINDS = tuple(kind for kind in Kind if kind.part != "relay")


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    plan = make_plan(options.seed, options.faults, STOCK_KINDS if options.stock else tuple(Kind))
    if options.plan:
        print("\n".join(f"{number:4}. {step}" for number, step in enumerate(plan, 1)))
        return 0
    interrupt_at_signals()
    try:
        return _report(options, _run(options, plan))
    except (AptError, AssertionError, MissingDaemonError, PortError, StackError) as error:
        print(f"error: {error}\nthe system's log: {FAILURE_LOG}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(describe(interrupt), file=sys.stderr)
        return EXIT_CODE


def _run(options: argparse.Namespace, plan: Plan) -> Run:
    progress = Progress()
    daemons = find_daemons(progress)
    progress(f"starting a system; seed {options.seed}, {count_faults(plan)} faults …")
    effort = (
        Effort(options.tasks, options.rate, settle_seconds=STOCK_SETTLE_SECONDS)
        if options.stock
        else Effort(options.tasks, options.rate)
    )
    with running_system(daemons, stock=options.stock) as system:
        run = Campaign(system, effort, progress).run(options.seed, plan)
        if not run.verdict.holds:
            keep_log(system.stack.directory)
    progress.clear()
    return run


def _report(options: argparse.Namespace, run: Run) -> int:
    print(terminal_report(run))
    if options.report:
        page = options.report.read_text(encoding="utf-8") if options.report.exists() else ""
        options.report.write_text(renewed(page, run), encoding="utf-8")
    if options.stock:
        print(f"\nthe suite {'missed' if run.verdict.holds else 'shows'} what stock Celery loses and doubles")
        return int(run.verdict.holds)
    print(f"\nnothing lost, nothing doubled: {'it holds' if run.verdict.holds else 'BROKEN'}")
    return int(not run.verdict.holds)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--stock", action="store_true", help="hurt stock Celery on Redis instead")
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same plan")
    parser.add_argument("--faults", type=int, default=FAULTS, metavar="N", help=f"default: {FAULTS}")
    parser.add_argument("--tasks", type=int, default=TASKS, metavar="N", help=f"at least; default: {TASKS}")
    parser.add_argument("--rate", type=float, default=RATE, metavar="N", help="requests per second")
    parser.add_argument("--plan", action="store_true", help="only print what would happen")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the tables as Markdown as well, into docs/reliability.md where they belong",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
