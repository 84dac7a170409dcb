"""Disks that are lost, while the group runs and while it does not, and data that the group never saw."""

import time

import pytest

from cluster.group import Group
from cluster.load import Load
from kube import Kube
from release import Release
from waiting import NotYetError, eventually

FOUNDED = "mysql_agent_bootstrap_total"
DELETE_SECONDS = 60
NOTICE_SECONDS = 90
# so that a member with an empty disk finds what it lacks in nobody's log, as after binlog_expire_logs_seconds
FORGET = "SET GLOBAL binlog_expire_logs_seconds = 1, GLOBAL max_binlog_size = 4096"
REMEMBER = "SET GLOBAL binlog_expire_logs_seconds = 259200, GLOBAL max_binlog_size = DEFAULT"
CLONED = "SELECT state FROM performance_schema.clone_status"
ERRANT = "INSERT INTO users (name, email) VALUES ('Errant', 'errant@example.com')"
IS_THERE = "SELECT COUNT(*) FROM users WHERE email = 'errant@example.com'"


def wipe(kube: Kube, pod: str) -> None:
    """Give a member an empty disk: the claim goes with the pod that uses it."""
    claim = f"data-{pod}"
    before = kube.get("PersistentVolumeClaim", claim)
    assert before, f"there is no claim {claim}"
    kube.delete("PersistentVolumeClaim", claim)
    kube.delete("Pod", pod)

    def replaced() -> None:
        after = kube.get("PersistentVolumeClaim", claim)
        if not after or after["metadata"]["uid"] == before["metadata"]["uid"]:
            raise NotYetError("the old claim is there, or none")

    eventually(f"{pod} has a new claim", replaced, DELETE_SECONDS)


@pytest.mark.parametrize("logs", ["complete", "purged"])
def test_a_member_whose_disk_is_lost_is_filled_by_the_others(
    release: Release, group: Group, load: Load, figures: dict[str, str], logs: str
) -> None:
    victim = group.members()[0]  # of all members the first might found a group
    with load.running() as traffic:
        load.wait_for(accepted=5)
        if logs == "purged":
            for pod in group.members():
                group.tell(pod, FORGET)
            load.wait_for(accepted=20)
            for pod in group.members():  # else it would be copied again each time it comes back
                group.tell(pod, REMEMBER)
        started = time.monotonic()
        wipe(release.kube, victim)
        release.wait_settled()
        seconds = time.monotonic() - started
        load.wait_for(accepted=5)
    group.verify(traffic)
    assert group.tell(victim, CLONED) == ([("Completed",)] if logs == "purged" else [])
    assert group.metric(victim, FOUNDED) == 0
    figures[f"disk of a member lost, logs {logs}"] = f"it was ready after {seconds:.0f} s; {traffic}"


def test_a_disk_that_is_lost_while_no_group_runs_is_waited_for_until_a_person_decides(
    release: Release, kube: Kube, group: Group, load: Load, figures: dict[str, str]
) -> None:
    members = group.members()
    with load.running() as traffic:
        load.wait_for(accepted=5)
        kube.delete("PersistentVolumeClaim", f"data-{members[0]}")
        for pod in members:
            kube.delete("Pod", pod, grace_seconds=0)
        message = eventually(
            "the members wait for the lost disk",
            lambda: group.reason(members[2], "disk_replaced"),
            NOTICE_SECONDS,
        )
        named = next(pod for pod in members if f"annotate pod {pod} " in message)
        assert named != members[0], "the empty member must not be the one that is named"
        assert group.metric(members[2], 'mysql_agent_waiting{reason="disk_replaced"}') == 1
        eventually(
            "an Event tells it", lambda: told(kube, f"Warning DiskReplaced Pod/{members[2]}"), NOTICE_SECONDS
        )
        started = time.monotonic()
        kube.patch("Pod", named, {"metadata": {"annotations": {"conveyor/force-bootstrap": "true"}}})
        load.wait_for(accepted=5, timeout_seconds=120)
        seconds = time.monotonic() - started
        release.wait_settled()
    group.verify(traffic)
    assert group.metric(named, FOUNDED) == 1
    figures["disk lost while no group ran"] = f"accepting {seconds:.0f} s after the order; {traffic}"


def test_what_somebody_wrote_past_the_group_is_kept_and_reported_until_it_is_cured(
    release: Release, kube: Kube, group: Group, load: Load, figures: dict[str, str]
) -> None:
    victim = next(pod for pod in group.members() if pod != group.primary())
    with load.running() as traffic:
        load.wait_for(accepted=5)
        write_past_the_group(group, victim)
        message = eventually(
            "the member is kept out", lambda: group.reason(victim, "errant_transactions"), NOTICE_SECONDS
        )
        assert "nothing is deleted" in message
        assert group.metric(victim, 'mysql_agent_waiting{reason="errant_transactions"}') == 1
        eventually(
            "an Event tells it",
            lambda: told(kube, f"Warning ErrantTransactions Pod/{victim}"),
            NOTICE_SECONDS,
        )
        with group.session(victim) as cursor:
            cursor.execute(IS_THERE)
            assert cursor.fetchall() == ((1,),)
        started = time.monotonic()
        wipe(kube, victim)
        release.wait_settled()
        seconds = time.monotonic() - started
    group.verify(traffic)
    for pod in group.members():
        with group.session(pod) as cursor:
            cursor.execute(IS_THERE)
            assert cursor.fetchall() == ((0,),)
    figures["errant transaction"] = f"cured in {seconds:.0f} s; {traffic}"


def told(kube: Kube, event: str) -> None:
    if not any(event in each for each in kube.events()):
        raise NotYetError(f"there is no {event}")


def write_past_the_group(group: Group, victim: str) -> None:
    """Write while the agent looks away, which else would have the member in its group again."""
    group.signal(victim, "agent", "SIGSTOP")
    try:
        with group.session(victim) as cursor:
            group.tell(victim, "STOP GROUP_REPLICATION")
            group.tell(victim, "SET GLOBAL super_read_only = OFF")
            group.tell(victim, "SET GLOBAL read_only = OFF")
            cursor.execute(ERRANT)
    finally:
        group.signal(victim, "agent", "SIGCONT")
