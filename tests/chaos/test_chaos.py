"""A quarter of a thousand faults is `make chaos`; here each family of them once, in two minutes."""

import sys

import pytest

from stack.packages import find_daemons
from stack.terminal import Progress
from tests.chaos.campaign import Campaign, Effort
from tests.chaos.plan import Kind, make_plan
from tests.chaos.report import terminal_report
from tests.chaos.system import FAILURE_LOG, keep_log, running_system

SEED = 3805
FAULTS = 12
EFFORT = Effort(tasks=600, rate=12, clients=6, settle_seconds=240, drain_seconds=300)


def test_what_was_accepted_is_done_exactly_once_whatever_dies(capsys: pytest.CaptureFixture[str]) -> None:
    plan = make_plan(SEED, FAULTS)
    assert {fault.kind.family for step in plan for fault in step.faults} == {kind.family for kind in Kind}
    with running_system(find_daemons(lambda _: None)) as system:
        run = Campaign(system, EFFORT, Progress()).run(SEED, plan)
        if not run.verdict.holds:
            keep_log(system.stack.directory)
    with capsys.disabled():
        sys.stdout.write(f"\n{terminal_report(run)}\n")
    assert run.verdict.violations == (), f"the system's log: {FAILURE_LOG}"
    assert run.verdict.accepted >= EFFORT.tasks
    assert len(run.costs) == FAULTS
