"""Agents that are killed, and agents to whom the Kubernetes API answers nothing but no."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from cluster.group import Group
from cluster.load import Load
from cluster.members import roles, settled_roles
from kube import Kube
from release import Release
from waiting import NotYetError, eventually

NOTICE_SECONDS = 60
UP = "mysql_agent_kubernetes_up"
CONNECTION = "SELECT CONNECTION_ID()"


def test_a_killed_agent_leaves_the_connections_and_the_group_alone(
    release: Release, group: Group, load: Load, figures: dict[str, str]
) -> None:
    leader = group.primary()
    before = restarts(release, leader)

    def restarted() -> None:
        if restarts(release, leader) == before:
            raise NotYetError("its pod counts no restart")

    with load.running() as traffic, group.session(leader) as cursor:
        load.wait_for(accepted=5)
        cursor.execute(CONNECTION)
        connection = cursor.fetchall()
        started = time.monotonic()
        group.kill(leader, "agent")
        eventually("the agent is started anew", restarted, NOTICE_SECONDS)
        release.wait_settled()
        seconds = time.monotonic() - started
        cursor.execute(CONNECTION)
        assert cursor.fetchall() == connection
        load.wait_for(accepted=5)
    group.verify(traffic)
    assert group.primary() == leader
    assert (traffic.unread, traffic.improper) == ([], [])
    figures["agent of the primary killed"] = f"its pod was ready again after {seconds:.1f} s; {traffic}"


def test_a_kubernetes_api_that_refuses_the_agents_costs_nothing_but_the_labels(
    release: Release, kube: Kube, group: Group, load: Load, figures: dict[str, str]
) -> None:
    labels = settled_roles(release, kube)
    old = group.primary()
    with load.running() as traffic:
        load.wait_for(accepted=5)
        with denied(kube, release.component("mysql")):
            eventually("each agent says that it is refused", lambda: all_are(group, 0), NOTICE_SECONDS)
            load.wait_for(accepted=10)
            assert traffic.failures == []
            group.kill(old, "mysql")
            eventually("the members have another primary", lambda: elected(group, old), NOTICE_SECONDS)
            assert roles(release, kube) == labels
        started = time.monotonic()
        group.successor(old)
        seconds = time.monotonic() - started
        load.wait_for(accepted=5)
        release.wait_settled()
        eventually("each agent is content", lambda: all_are(group, 1), NOTICE_SECONDS)
    group.verify(traffic)
    assert traffic.unread == []
    figures["failover while the API refuses the agents"] = (
        f"the label followed {seconds:.1f} s after it was allowed to; {traffic}"
    )


@contextmanager
def denied(kube: Kube, binding: str) -> Iterator[None]:
    """Take from the agents what they may do."""
    found = kube.get("RoleBinding", binding)
    assert found, f"there is no RoleBinding {binding}"
    kept = {key: found[key] for key in ("apiVersion", "kind", "roleRef", "subjects")}
    metadata = {key: found["metadata"][key] for key in ("name", "labels", "annotations")}
    kube.delete("RoleBinding", binding)
    try:
        yield
    finally:
        kube.apply({**kept, "metadata": metadata})


def restarts(release: Release, pod: str) -> int:
    return next(each.restarts for each in release.pods("mysql") if each.name == pod)


def all_are(group: Group, wanted: int) -> None:
    if other := {pod: seen for pod in group.members() if (seen := group.metric(pod, UP)) != wanted}:
        raise NotYetError(f"{UP} is {other}")


def elected(group: Group, old: str) -> None:
    witness = next(pod for pod in group.members() if pod != old)
    if (primaries := group.view(witness).primaries) in {(), (old,)}:
        raise NotYetError(f"{witness} sees {primaries}")
