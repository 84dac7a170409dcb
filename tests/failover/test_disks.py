"""Disks that are lost, replaced and full, and data that does not belong to the group."""

import time

import pytest

from mysql_agent.datadir import MARKER
from tests.failover import disks, faults
from tests.failover.network import obstacle
from tests.failover.system import SMALL_DISK, System
from tests.stack.waiting import wait_until


def test_the_first_member_without_data_joins_and_founds_nothing(system: System) -> None:
    """Who is led to the empty server before another one is the primary is told to try again."""
    before = faults.founded(system)
    disks.make_primary(system, 0)
    with system.under_load("disk of mysql-0 lost"):
        disks.wipe(system, 0)
    assert faults.founded(system) == before


def test_a_member_is_copied_where_the_logs_it_would_need_are_gone(system: System) -> None:
    group = system.group
    with system.under_load("disk lost, binary logs expired"):
        member = faults.replicas(system)[-1]
        restarts = group.stack.service(group.server(member)).restarts
        disks.expire_binary_logs(system)
        disks.wipe(system, member)
        group.wait_complete()
        assert group.stack.service(group.server(member)).restarts >= restarts + 2, "a copy ends in a restart"
        assert (group.datadir(member) / MARKER).exists()


def test_without_a_group_a_replaced_disk_is_waited_for_until_a_person_decides(system: System) -> None:
    group = system.group
    with system.under_load("all stopped, a disk replaced", faults.NOBODY_LEFT) as load:
        replaced, others = faults.primary(system), faults.replicas(system)
        load.stop()  # else the disk may hold what no other does, and the wait would be for good reason
        faults.wait_equal(system)
        with group.held_down(*map(group.server, others)):
            disks.wipe(system, replaced)
        message = faults.wait_reason(system, others[0], "disk_replaced", 90)
        assert group.answers("/primary") == []
        disks.decide_that_nothing_is_lost(message)
        group.wait_complete()
        load.start()


def test_errant_transactions_are_reported_and_kept_until_a_person_decides(system: System) -> None:
    group = system.group
    with group.session("mysql-primary") as cursor:
        cursor.execute(f"CREATE TABLE `{group.database}`.errant (id BIGINT PRIMARY KEY)")
    with system.under_load("errant transaction on a replica"):
        member = faults.replicas(system)[0]
        disks.write_past_the_group(system, member, -13)
        message = faults.wait_reason(system, member, "errant_transactions")
        assert "nothing is deleted" in message
        assert disks.errant_rows(system, member) == [-13]
        assert member not in group.answers("/ready")
        disks.wipe(system, member)
        group.wait_complete()
        assert disks.errant_rows(system, member) == []


@pytest.mark.skipif(bool(obstacle()), reason=obstacle())
def test_a_primary_whose_disk_is_full_refuses_writes_and_is_replaced_when_killed(
    system: System,
) -> None:
    """The server waits for room with its commits, and nothing but its end makes the others go on."""
    disks.make_primary(system, SMALL_DISK)
    with system.under_load("disk of the primary full") as load, disks.full(system):
        faults.wait_refused(load.journal, time.monotonic())
        faults.kill(system, SMALL_DISK)
        faults.successor(system, SMALL_DISK)
        elected = time.monotonic()
        wait_until(lambda: load.journal.acknowledged_after(elected) > 20, "writes are accepted again", 60)
