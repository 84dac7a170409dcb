"""Members that are killed: what was acknowledged is on every member afterwards."""

import time

from cluster.group import Group
from cluster.load import Load, Traffic
from release import Release


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


def told(traffic: Traffic, label_seconds: float) -> str:
    return f"another member had the label after {label_seconds:.1f} s; {traffic}"
