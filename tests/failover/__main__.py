"""`python -m tests.failover`: hurt a MySQL group under load, judge it each time, print the goals."""

# ruff: noqa: T201 - a command line program prints

import argparse
import sys
from collections import defaultdict
from collections.abc import Sequence

from stack.apt import AptError
from stack.interruption import EXIT_CODE, describe, interrupt_at_signals
from stack.packages import MissingDaemonError, find_daemons
from stack.part import StackError
from stack.ports import PortError
from stack.terminal import Progress
from tests.failover.campaign import carry_out
from tests.failover.network import obstacle
from tests.failover.plan import Fault, Kind, make_plan
from tests.failover.report import broken_promises, cost_table, goal_table, goals
from tests.failover.settings import BUSY_SECONDS, Effort, measure, settings_table
from tests.failover.settings import KILLS as KILLS_PER_SETTING
from tests.failover.system import FAILURE_LOG, Outcome, System, running_system

SEED = 20261125
FAULTS, KILLS, STOPS, ROLLS = 100, 20, 5, 2


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parser().parse_args(arguments)
    plan = make_plan(options.seed, options.faults, has_network=not obstacle())
    if options.plan:
        print("\n".join(f"{number:4}. {fault}" for number, fault in enumerate(plan, 1)))
        return 0
    interrupt_at_signals()
    print(f"seed {options.seed}")
    if reason := obstacle():
        print(f"without partitions and full disks: {reason}")
    progress = Progress()
    try:
        with running_system(find_daemons(progress)) as system:
            if options.settings:
                found = measure(system, Effort(min(options.kills, KILLS_PER_SETTING), options.busy), progress)
                progress.clear()
                print(settings_table(found))
                return 0
            return _run(system, options, plan, progress)
    except (AptError, AssertionError, MissingDaemonError, PortError, StackError) as error:
        print(f"error: {error}\nthe system's log: {FAILURE_LOG}", file=sys.stderr)
        return 1
    except KeyboardInterrupt as interrupt:
        print(describe(interrupt), file=sys.stderr)
        return EXIT_CODE


def _run(system: System, options: argparse.Namespace, plan: Sequence[Fault], progress: Progress) -> int:
    measured = {
        Kind.PRIMARY_KILL: options.kills,
        Kind.PRIMARY_STOP: min(options.kills, STOPS),
        Kind.ROLL: min(options.kills, ROLLS),
    }
    steps = [Fault(kind, 0, 0) for kind, times in measured.items() for _ in range(times)]
    try:
        for number, fault in enumerate([*steps, *plan], 1):
            progress(f"{number} of {len(steps) + len(plan)}: {fault.kind.value}")
            carry_out(system, fault)
    finally:
        progress.clear()
        _report(system.outcomes, steps)
    return int(any(outcome.broken for outcome in system.outcomes))


def _report(outcomes: Sequence[Outcome], steps: Sequence[Fault]) -> None:
    """Print what was seen; the steps come first and alone count for the goals that have seconds."""
    print(cost_table(outcomes))
    found: dict[Kind, list[Outcome]] = defaultdict(list)
    for step, outcome in zip(steps, outcomes, strict=False):
        found[step.kind].append(outcome)
    mixed = outcomes[len(steps) :]
    reached = goals(found[Kind.PRIMARY_KILL], found[Kind.PRIMARY_STOP], found[Kind.ROLL], mixed)
    print(f"\n{goal_table(reached)}")
    for promise in broken_promises(outcomes):
        print(f"! {promise}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.failover", description=__doc__)
    parser.add_argument("--seed", type=int, default=SEED, help="the same seed gives the same plan")
    parser.add_argument("--faults", type=int, default=FAULTS, metavar="N", help=f"default: {FAULTS}")
    parser.add_argument("--kills", type=int, default=KILLS, metavar="N", help=f"first; default: {KILLS}")
    parser.add_argument("--settings", action="store_true", help="measure the time a silent member gets")
    parser.add_argument("--busy", type=float, default=BUSY_SECONDS, metavar="S", help="seconds of that")
    parser.add_argument("--plan", action="store_true", help="only print what would happen")
    return parser


if __name__ == "__main__":
    sys.exit(main())
