"""The group without a majority, or without anybody: it waits for whom it must, says why, and comes back."""

import time

from tests.failover import faults
from tests.failover.system import System
from tests.stack.mysql_group import ORDINALS


def test_a_member_that_is_left_alone_waits_for_those_who_are_missing(system: System) -> None:
    group = system.group
    with system.under_load("two members stay away", faults.NOBODY_LEFT) as load:
        missing, (last, also_missing) = faults.primary(system), faults.replicas(system)
        with group.held_down(group.server(missing), group.server(also_missing)):
            stopped = time.monotonic() + 1
            message = faults.wait_reason(system, last, "peer_unreachable", 90)
            assert f"mysql-{missing} (" in message
            assert f"mysql-{also_missing} (" in message
            assert group.answers("/primary") == []
            assert load.journal.acknowledged_after(stopped) == 0


def test_three_killed_members_come_back_by_themselves(system: System) -> None:
    with system.under_load("all members killed", faults.NOBODY_LEFT):
        faults.kill(system, *ORDINALS)


def test_after_a_full_stop_the_group_waits_for_the_member_that_is_missing(system: System) -> None:
    group = system.group
    with system.under_load("all stopped, the primary held back", faults.NOBODY_LEFT):
        missing, others = faults.primary(system), faults.replicas(system)
        with group.held_down(group.server(missing)):
            with group.held_down(*map(group.server, others)):
                pass
            for ordinal in others:
                group.stack.wait_ready(group.server(ordinal), 60)
                assert f"mysql-{missing} (" in faults.wait_reason(system, ordinal, "peer_unreachable")
                assert group.metric(ordinal, 'mysql_agent_waiting{reason="peer_unreachable"}') == 1
            time.sleep(5)
            assert group.answers("/primary") == []
            assert group.answers("/live") == list(ORDINALS)


def test_a_rolling_restart_hands_over_and_refuses_next_to_nothing(system: System) -> None:
    with system.under_load("rolling restart of all members"):
        faults.roll(system)
