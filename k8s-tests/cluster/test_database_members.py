"""Members that are killed, one and all of them: what was acknowledged is on every member afterwards."""

import time
from functools import partial

from cluster.group import Group
from cluster.load import Load, Traffic
from kube import Kube
from release import Release
from waiting import NotYetError, eventually

RETURN_SECONDS = 180
NOTICE_SECONDS = 90


def test_a_primary_whose_process_is_killed_is_replaced_and_joins_again(
    release: Release, group: Group, load: Load, figures: dict[str, str]
) -> None:
    killed = group.primary()
    with load.running() as traffic:
        load.wait_for(accepted=5)
        started = time.monotonic()
        group.kill(killed, "mysql")
        group.successor(killed)
        label_seconds = time.monotonic() - started
        load.wait_for(accepted=5)
        release.wait_settled()
    group.verify(traffic)
    assert (traffic.unread, traffic.improper) == ([], [])
    figures["mysqld of the primary killed"] = told(traffic, label_seconds)


def test_members_that_are_killed_together_found_the_group_again_with_all_they_had(
    release: Release, group: Group, load: Load, figures: dict[str, str]
) -> None:
    founded = group.foundings()
    with load.running() as traffic:
        load.wait_for(accepted=5)
        for pod in group.members():
            group.kill(pod, "mysql")
        load.wait_for(accepted=5, timeout_seconds=RETURN_SECONDS)
        release.wait_settled()
    group.verify(traffic)
    assert group.foundings() == founded + 1
    figures["mysqld of every member killed"] = str(traffic)


def test_a_member_that_is_held_back_is_named_and_waited_for(
    release: Release, group: Group, load: Load, figures: dict[str, str]
) -> None:
    kube = release.kube
    held, *others = group.members()
    node = next(pod.node for pod in release.pods("mysql") if pod.name == held)
    with load.running() as traffic:
        load.wait_for(accepted=5)
        kube.cordon(node)  # the member's disk is there, so it can start nowhere else
        try:
            for pod in group.members():
                kube.delete("Pod", pod, grace_seconds=0)
            for pod in others:
                waits = partial(group.reason, pod, "peer_unreachable")
                assert held in eventually(f"{pod} says for whom it waits", waits, NOTICE_SECONDS)
                assert group.metric(pod, 'mysql_agent_waiting{reason="peer_unreachable"}') == 1
            eventually("Events name it", partial(_named, kube, others, held), NOTICE_SECONDS)
            assert group.foundings_of(others) == 0
        finally:
            kube.cordon(node, cordoned=False)
        started = time.monotonic()
        load.wait_for(accepted=5, timeout_seconds=RETURN_SECONDS)
        seconds = time.monotonic() - started
        release.wait_settled()
    group.verify(traffic)
    assert group.foundings() == 1
    figures["one of three held back"] = f"accepting {seconds:.1f} s after it was let go; {traffic}"


def _named(kube: Kube, waiting: list[str], held: str) -> None:
    told = [event for event in kube.events() if " PeerUnreachable " in event and f"for {held} " in event]
    if missing := [pod for pod in waiting if not any(f"Pod/{pod}:" in event for event in told)]:
        raise NotYetError(f"no Event of {', '.join(missing)} names {held}")


def told(traffic: Traffic, label_seconds: float) -> str:
    return f"another member had the label after {label_seconds:.1f} s; {traffic}"
