"""Planned work on the database under load: changed settings, more members, fewer members."""

import time
from typing import Any

from cluster.group import Group
from cluster.load import Load
from cluster.settings import merged
from kube import Kube
from release import Release, Values
from waiting import NotYetError, eventually

KNOWN_MEMBERS = "conveyor/known-members"
# the kubelet brings a changed ConfigMap to the pods within a minute or two
FOLLOW_SECONDS = 180
RETURN_SECONDS = 120


def replicas(count: int) -> dict[str, Any]:
    return {"mysql": {"replicas": count}}


def test_members_come_and_go_without_a_restart_of_those_that_stay(
    release: Release, values: Values, group: Group, load: Load, figures: dict[str, str]
) -> None:
    stayed = runs(release)
    with load.running() as traffic:
        load.wait_for(accepted=5)
        for count in (5, 3):
            started = time.monotonic()
            release.upgrade(merged(values, replicas(count)))
            release.wait_settled()
            eventually(f"{count} members are one group", group.complete, RETURN_SECONDS)
            figures[f"{count} members"] = f"one group after {time.monotonic() - started:.0f} s"
            assert len(group.members()) == count
            eventually("every agent knows", lambda count=count: known(group, count), FOLLOW_SECONDS)  # type: ignore[misc]
            figures[f"{count} members"] += f", known to all after {time.monotonic() - started:.0f} s"
            load.wait_for(accepted=5)
    group.verify(traffic)
    assert runs(release) == stayed
    figures["3, 5, 3 members under load"] = str(traffic)


def test_a_full_outage_after_members_have_gone_waits_for_none_of_them(
    release: Release, kube: Kube, group: Group, load: Load, figures: dict[str, str]
) -> None:
    with load.running() as traffic:
        load.wait_for(accepted=5)
        for pod in group.members():
            group.kill(pod, "mysql")
        load.wait_for(accepted=5, timeout_seconds=RETURN_SECONDS)
        release.wait_settled()
    group.verify(traffic)
    figures["full outage after 5 members became 3"] = str(traffic)
    lease = kube.get("Lease", release.component("mysql"))
    assert lease
    assert len(lease["metadata"]["annotations"][KNOWN_MEMBERS].split(",")) == 3
    for ordinal in (3, 4):  # as an operator may, to have the space
        kube.delete("PersistentVolumeClaim", f"data-{release.component('mysql')}-{ordinal}")


def test_a_changed_setting_reaches_every_member_and_loses_nothing(
    release: Release, values: Values, group: Group, load: Load, figures: dict[str, str]
) -> None:
    started = time.monotonic()
    with load.running() as traffic:
        load.wait_for(accepted=5)
        release.upgrade(merged(values, {"mysql": {"options": {"long_query_time": "1"}}}))
        release.wait_settled()
        seconds = time.monotonic() - started
        load.wait_for(accepted=5)
    group.verify(traffic)
    found = {pod: group.tell(pod, "SELECT @@GLOBAL.long_query_time") for pod in group.members()}
    assert found == {key: [(1.0,)] for key in group.members()}
    assert (traffic.unread, traffic.improper) == ([], [])
    figures["changed setting of MySQL under load"] = f"{seconds:.0f} s; {traffic}"
    release.upgrade(values)


def runs(release: Release) -> dict[str, tuple[str, int]]:
    return {pod.name: (pod.uid, pod.restarts) for pod in release.pods("mysql")}


def known(group: Group, count: int) -> None:
    seen = {pod: group.metric(pod, "mysql_agent_members") for pod in group.members()}
    if set(seen.values()) != {count}:
        raise NotYetError(f"the agents know {seen}")
