"""Members that cannot hear each other while clients write and read; nobody is told that packets are lost."""

import time

import pytest

from stack.part import Part
from tests.failover import faults
from tests.failover.network import obstacle
from tests.failover.system import System
from tests.stack.waiting import wait_until

pytestmark = pytest.mark.skipif(bool(obstacle()), reason=obstacle())

CUT_SECONDS = 15.0


def server(system: System, ordinal: int) -> Part:
    return system.stack.service(system.group.server(ordinal))


def test_a_primary_that_only_clients_still_reach_is_replaced_and_acknowledges_nothing(system: System) -> None:
    group, before = system.group, faults.founded(system)
    with system.under_load("primary cut off from its peers"):
        old = faults.primary(system)
        with faults.isolated(system, old, from_clients=False):
            new = faults.successor(system, old)
            wait_until(
                lambda: group.answers("/primary") == [new], "the old primary sees that it is alone", 30
            )
    assert faults.founded(system) == before


def test_a_replica_that_is_cut_off_disturbs_nobody_and_founds_nothing(system: System) -> None:
    group, before = system.group, faults.founded(system)
    with system.under_load("replica cut off from its peers") as load:
        primary, (lonely, other) = faults.primary(system), faults.replicas(system)
        pids = [server(system, ordinal).pid for ordinal in (primary, other)]
        with faults.isolated(system, lonely, from_clients=False):
            faults.wait_reason(system, lonely, "peer_unreachable", 90)
            assert group.answers("/primary") == [primary]
            assert lonely not in group.answers("/ready")
        group.wait_complete()
        assert [server(system, ordinal).pid for ordinal in (primary, other)] == pids, "they were left alone"
    assert [one.error for one in load.journal.inserts if one.error] == []
    assert faults.founded(system) == before


def test_a_replica_that_does_not_hear_the_primary_leaves_one_primary(system: System) -> None:
    group = system.group
    with system.under_load("replica that does not hear the primary"):
        primary, (deaf, _) = faults.primary(system), faults.replicas(system)
        with system.network.without((group.server(primary), group.server(deaf))):
            until = time.monotonic() + CUT_SECONDS
            while time.monotonic() < until:
                assert len(group.answers("/primary")) <= 1
                time.sleep(0.2)
