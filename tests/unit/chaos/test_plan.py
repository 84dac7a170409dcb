from collections import Counter

import pytest

from tests.chaos.plan import CLIENTS, ONE_OF, Kind, count_faults, make_plan
from tests.chaos.test_chaos import FAULTS, SEED

SEEDS = range(40)


def test_a_seed_always_gives_the_same_plan_and_another_one_a_different_one() -> None:
    assert make_plan(5, 60) == make_plan(5, 60)
    assert make_plan(5, 60) != make_plan(6, 60)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_long_run_has_every_kind_and_as_many_faults_as_were_asked_for(seed: int) -> None:
    plan = make_plan(seed, 200)
    assert count_faults(plan) == 200
    assert {fault.kind for step in plan for fault in step.faults} == set(Kind)
    assert any(len(step.faults) == 2 for step in plan)


def test_a_run_that_is_too_short_for_every_kind_has_every_family() -> None:
    plan = make_plan(SEED, FAULTS)
    families = Counter(fault.kind.family for step in plan for fault in step.faults)
    assert set(families) == {"worker", "relay", "api", "redis", "mysql", "redis cut", "mysql cut"}
    assert count_faults(plan) == FAULTS


@pytest.mark.parametrize("seed", SEEDS)
def test_two_faults_at_once_never_hurt_the_same_part_nor_two_members_of_the_group(seed: int) -> None:
    for step in make_plan(seed, 200):
        parts = [fault.kind.part for fault in step.faults]
        assert len(set(parts)) == len(parts)
        assert sum(fault.kind.harms_a_member for fault in step.faults) <= 1


def test_only_what_lasts_has_a_duration_and_only_a_cut_chooses_clients() -> None:
    for fault in (fault for step in make_plan(1, 400) for fault in step.faults):
        lasts = fault.kind.is_cut or "SIGSTOP" in fault.kind.value
        assert (fault.seconds > 0) is lasts
        assert (fault.delay > 0) is fault.kind.value.endswith("slow")
        assert fault.kind.is_cut or fault.clients == CLIENTS
        assert 1 <= fault.number <= ONE_OF.get(fault.kind.part, 1)


def test_kinds_that_a_system_does_not_have_are_left_out() -> None:
    kinds = [kind for kind in Kind if kind.part != "relay"]
    used = {fault.kind for step in make_plan(3, 100, kinds) for fault in step.faults}
    assert used == set(kinds)


def test_a_step_says_what_happens() -> None:
    said = "\n".join(map(str, make_plan(1, 200)))
    assert "worker, kill -9 (no. 1)" in said
    assert " and " in said
