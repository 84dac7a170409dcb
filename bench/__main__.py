"""`python -m bench`: measure this machine and print the figures."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from bench.effort import FULL, QUICK, Effort
from bench.failure import BenchError
from bench.machine import describe_machine
from bench.page import write_page
from bench.report import terminal_report
from bench.results import Run
from bench.scenarios import LONG, SCENARIOS
from bench.system import RUNS, System, running_system
from stack.apt import AptError
from stack.interruption import EXIT_CODE, describe, interrupt_at_signals
from stack.packages import MissingDaemonError, find_daemons
from stack.part import StackError
from stack.ports import PortError
from stack.terminal import Progress


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    interrupt_at_signals()
    try:
        return _run(options)
    except (AptError, BenchError, MissingDaemonError, PortError, StackError) as error:
        print(f"error: {error}", *getattr(error, "__notes__", ()), sep="\n", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(describe(interrupt), file=sys.stderr)
        return EXIT_CODE


def _run(options: argparse.Namespace) -> int:
    progress = Progress()
    daemons = find_daemons(progress)
    machine = describe_machine(daemons, RUNS)
    progress("starting a system …")
    with running_system(daemons) as system:
        names = options.scenario or [name for name in SCENARIOS if name not in LONG]
        measured = _measure(system, QUICK if options.quick else FULL, names, progress)
    progress.clear()
    print(terminal_report(machine, [run for runs in measured.values() for run in runs]))
    if options.report:
        write_page(options.report, machine, measured)
    return 0


def _measure(
    system: System, effort: Effort, names: Sequence[str], progress: Progress
) -> dict[str, Sequence[Run]]:
    progress("warming up …")
    system.warm_up()
    measured: dict[str, Sequence[Run]] = {}
    for name in names:
        progress(f"measuring {name} …")
        measured[name] = SCENARIOS[name](system, effort)
    return measured


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="short runs: shows that it works, not how fast")
    parser.add_argument(
        "--scenario",
        action="append",
        choices=SCENARIOS,
        help="only this, or one of the long ones (may be repeated)",
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="renew what this page says of them")
    return parser


if __name__ == "__main__":
    sys.exit(main())
