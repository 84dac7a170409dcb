"""The MySQL group under a writer while members and agents are killed: nothing acknowledged is lost."""

import signal
import sys
import time
from collections.abc import Iterator

import pytest

from stack.supervisor import Stack
from tests.stack.mysql_group import ORDINALS, Group, Writer
from tests.stack.waiting import wait_until

DONE = 'mysql_agent_switchovers_total{outcome="done"}'


@pytest.fixture
def group(stack: Stack) -> Group:
    group = Group(stack)
    group.wait_complete()
    return group


@pytest.fixture
def writer(group: Group) -> Iterator[Writer]:
    group.prepare_table()
    writer = Writer(group)
    writer.start()
    wait_until(lambda: len(writer.acknowledged) > 50, "the writer is under way")
    yield writer
    writer.stop()


def assert_nothing_lost(group: Group, writer: Writer) -> None:
    writer.stop()
    for ordinal in ORDINALS:
        wait_until(lambda of=ordinal: writer.ids() <= group.rows(of), f"mysql-{ordinal} has every row")  # type: ignore[misc]
    assert len(group.answers("/primary")) == 1
    assert len(group.answers("/replica")) == 2


def test_a_killed_primary_is_replaced_and_comes_back_as_a_replica(
    group: Group, writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    killed = group.primary()
    killed_at = time.monotonic()
    group.stack.service(group.server(killed)).kill(signal.SIGKILL)
    wait_until(lambda: writer.acknowledged_after(killed_at + 1) > 20, "writes are accepted again", 60)
    assert group.primary() != killed
    rejoined = group.wait_complete()
    assert killed in group.answers("/replica")
    assert_nothing_lost(group, writer)
    with capsys.disabled():
        sys.stdout.write(
            f"\nkilled primary: no writes for {writer.longest_gap():.1f} s, rejoined {rejoined:.1f} s later\n"
        )


def test_three_killed_members_come_back_by_themselves_with_every_acknowledged_row(
    group: Group, writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    killed_at = time.monotonic()
    for ordinal in ORDINALS:
        group.stack.service(group.server(ordinal)).kill(signal.SIGKILL)
    wait_until(lambda: writer.acknowledged_after(killed_at + 1) > 20, "writes are accepted again", 120)
    group.wait_complete()
    assert_nothing_lost(group, writer)
    with capsys.disabled():
        sys.stdout.write(f"\nall three killed: no writes for {writer.longest_gap():.1f} s\n")


def test_killed_agents_change_nothing_for_those_who_are_connected(group: Group, writer: Writer) -> None:
    before = {ordinal: group.stack.service(group.agent(ordinal)).pid for ordinal in ORDINALS}
    killed_at = time.monotonic()
    for ordinal in ORDINALS:
        group.stack.service(group.agent(ordinal)).kill(signal.SIGKILL)
    group.wait_complete()
    assert all(group.stack.service(group.agent(ordinal)).pid != before[ordinal] for ordinal in ORDINALS)
    wait_until(lambda: writer.acknowledged_after(killed_at) > 20, "writes go on")
    assert all(group.metric(ordinal, "mysql_agent_bootstrap_total") == 0 for ordinal in ORDINALS)
    assert_nothing_lost(group, writer)
    assert writer.failures == [], "the load balancer has cut connections to a member that is well"


def test_a_frozen_primary_is_not_taken_for_one_when_it_thaws(
    group: Group, writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    frozen = group.primary()
    frozen_at = time.monotonic()
    server = group.stack.service(group.server(frozen))
    server.freeze()
    try:
        wait_until(lambda: writer.acknowledged_after(frozen_at + 1) > 20, "writes are accepted again", 60)
        successor = group.primary()
        assert successor != frozen
    finally:
        server.thaw()
    thawed_at = time.monotonic()
    while time.monotonic() < thawed_at + 8:
        assert group.answers("/primary") in ([successor], [])
        time.sleep(0.2)
    group.wait_complete()
    assert_nothing_lost(group, writer)
    with capsys.disabled():
        sys.stdout.write(f"\nfrozen primary: no writes for {writer.longest_gap():.1f} s\n")


def test_a_primary_that_is_to_be_stopped_hands_over_first(
    group: Group, writer: Writer, capsys: pytest.CaptureFixture[str]
) -> None:
    old = group.primary()
    before = group.metric(old, DONE)
    asked_at = time.monotonic()
    with group.asked_for_release(old) as released:
        seconds = wait_until(released.exists, "the agent releases its server", 20)
        wait_until(lambda: group.answers("/primary") not in ([], [old]), "another one is the primary", 10)
        assert old not in group.answers("/ready")
        wait_until(lambda: writer.acknowledged_after(asked_at + seconds) > 20, "writes go on", 20)
        gap = writer.longest_gap()
        group.stack.service(group.server(old)).kill(signal.SIGTERM)
        wait_until(lambda: not released.exists(), "a server that started anew is not to be stopped", 60)
    group.wait_complete()
    assert old in group.answers("/replica")
    assert group.metric(old, DONE) == before + 1
    assert_nothing_lost(group, writer)
    with capsys.disabled():
        sys.stdout.write(f"\nhandover: released after {seconds:.1f} s, no writes for {gap:.1f} s\n")


def test_a_replica_that_is_to_be_stopped_gets_no_more_clients_and_no_write_fails(
    group: Group, writer: Writer
) -> None:
    replica = next(ordinal for ordinal in ORDINALS if ordinal != group.primary())
    with group.asked_for_release(replica) as released:
        wait_until(released.exists, "the agent releases its server", 5)
        assert replica not in group.answers("/replica") + group.answers("/ready")
        assert group.decision(replica)["reason"] == "stopping"
        group.stack.service(group.server(replica)).kill(signal.SIGTERM)
        group.wait_complete()
    assert_nothing_lost(group, writer)
    # the group holds writes back for a moment when the member joins again
    assert writer.failures == []


def test_a_stop_that_is_called_off_brings_the_member_back(group: Group) -> None:
    replica = next(ordinal for ordinal in ORDINALS if ordinal != group.primary())
    with group.asked_for_release(replica) as released:
        wait_until(released.exists, "the agent releases its server", 5)
    group.wait_complete(20)
    assert not released.exists()
    assert replica in group.answers("/replica")
