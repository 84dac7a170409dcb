"""Members that are killed, one and all of them: what was acknowledged is on every member afterwards."""

import time

from cluster.group import Group
from cluster.load import Load, Traffic
from release import Release

RETURN_SECONDS = 180


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


def told(traffic: Traffic, label_seconds: float) -> str:
    return f"another member had the label after {label_seconds:.1f} s; {traffic}"
