"""Servers that are killed, stopped in order and frozen while clients write and read."""

import time

from tests.failover import faults
from tests.failover.system import System

# longer than it takes to replace it; `make failover` freezes for up to half a minute
FROZEN_SECONDS = 15.0


def test_a_primary_that_is_killed_twice_is_replaced_and_comes_back_as_a_replica(system: System) -> None:
    """The second time the group may still remember its previous run."""
    with system.under_load("primary killed twice"):
        killed = faults.primary(system)
        faults.kill_again(system, killed)
        assert faults.successor(system, killed) != killed
    assert killed in system.group.answers("/replica")


def test_a_primary_that_is_to_be_stopped_hands_over_first(system: System) -> None:
    old = faults.primary(system)
    before = system.group.metric(old, faults.SWITCHED_OVER)
    with system.under_load("primary stopped in order"):
        faults.hand_over(system, old)
    assert old in system.group.answers("/replica")
    assert system.group.metric(old, faults.SWITCHED_OVER) == before + 1


def test_a_replica_that_is_to_be_stopped_gets_no_more_clients_and_no_write_fails(system: System) -> None:
    group = system.group
    with system.under_load("replica stopped in order, at the second attempt") as load:
        replica, _ = faults.replicas(system)
        with group.asked_for_release(replica) as released:
            faults.wait_released(released)
        group.wait_complete(20)
        assert not released.exists(), "the first time it was called off"
        assert replica in group.answers("/replica")
        with group.asked_for_release(replica) as released:
            faults.wait_released(released)
            assert replica not in group.answers("/replica") + group.answers("/ready")
            assert group.decision(replica)["reason"] == "stopping"
            faults.stop(system, replica)
            group.wait_complete()
    assert [one.error for one in load.journal.inserts if one.error] == []


def test_a_frozen_primary_is_not_taken_for_one_when_it_thaws(system: System) -> None:
    group = system.group
    with system.under_load(f"primary frozen for {FROZEN_SECONDS:.0f} s"):
        frozen = faults.primary(system)
        with faults.frozen(system, frozen):
            until = time.monotonic() + FROZEN_SECONDS
            successor = faults.successor(system, frozen)
            time.sleep(max(until - time.monotonic(), 0))
        thawed = time.monotonic()
        while time.monotonic() < thawed + 8:
            assert group.answers("/primary") in ([successor], [])
            time.sleep(0.2)


def test_killed_agents_change_nothing_for_those_who_are_connected(system: System) -> None:
    group = system.group
    parts = [group.stack.service(group.agent(ordinal)) for ordinal in range(3)]
    with system.under_load("all agents killed") as load:
        before = [part.pid for part in parts]
        for part in parts:
            part.kill()
        group.wait_complete()
        assert all(part.pid != pid for part, pid in zip(parts, before, strict=True))
        assert all(group.metric(ordinal, "mysql_agent_bootstrap_total") == 0 for ordinal in range(3))
    errors = [one.error for one in load.journal.inserts if one.error]
    assert errors == [], "the load balancer has cut connections to a member that is well"
