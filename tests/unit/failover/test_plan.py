"""The plan of a long run, and how its goals are told."""

import subprocess
import sys

from stack.supervisor import ROOT
from tests.failover.campaign import DEEDS
from tests.failover.plan import Kind, make_plan
from tests.failover.report import cost_table, goal_table, goals
from tests.failover.system import Outcome


def outcome(pause: float = 0.0, meanwhile: float = 0.0, *, refused: float = 0.0, lost: int = 0) -> Outcome:
    broken = ("1 rows lost",) * lost
    return Outcome("primary killed", pause, meanwhile, refused, 3.0, 4, 1.5, 100, 50, 20, lost, broken)


def test_a_seed_gives_the_same_plan_with_every_kind_in_it() -> None:
    plan = make_plan(7, 100)
    assert plan == make_plan(7, 100) != make_plan(8, 100)
    assert len(plan) == 100
    assert {fault.kind for fault in plan} == set(Kind) == set(DEEDS)


def test_a_short_plan_repeats_no_kind() -> None:
    assert len({fault.kind for fault in make_plan(7, 10)}) == 10


def test_without_a_network_nothing_is_cut() -> None:
    assert not any(fault.kind.needs_network for fault in make_plan(7, 100, has_network=False))


def test_goals_say_what_was_seen_also_when_it_was_missed() -> None:
    kills, stops, rolls = [outcome(7), outcome(13)], [outcome(4, 1)], [outcome(2, refused=4)]
    table = goal_table(goals(kills, stops, rolls, [outcome(lost=1)]))
    lines = [line.split() for line in table.splitlines()[2:]]
    assert [line[-3:] for line in lines] == [
        ["10", "2", "MISSED"],
        ["13", "2", "MISSED"],
        ["1", "1", "met"],
        ["4", "1", "MISSED"],
        ["1", "5", "MISSED"],
        ["1", "5", "MISSED"],
    ]


def test_what_was_not_measured_is_not_met() -> None:
    assert [goal.is_met for goal in goals([], [], [], [])] == [False, False, False, False, True, True]


def test_costs_are_summed_up_by_case() -> None:
    rows = [line.split("  ") for line in cost_table([outcome(7), outcome(9, lost=2)]).splitlines()]
    assert rows[2][0] == "primary killed"
    assert [cell.strip() for cell in rows[2] if cell][1:] == ["2", "8.0", "9.0", "3.0", "8", "1.5", "2"]


def test_the_plan_can_be_read_without_a_system() -> None:
    command = [sys.executable, "-m", "tests.failover", "--plan", "--faults", "3", "--seed", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60, check=True)
    assert len(done.stdout.splitlines()) == 3
