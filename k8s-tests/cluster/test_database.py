"""The members of the database: whom Services lead to, and what the planned end of the primary costs."""

import time

from cluster.load import Load
from cluster.members import LABEL_SECONDS, primary, settled_roles
from kube import Kube
from release import Release
from waiting import NotYetError, eventually

KNOWN_MEMBERS = "conveyor/known-members"


def test_one_member_is_labelled_primary_and_the_others_replicas(release: Release, kube: Kube) -> None:
    assert sorted(settled_roles(release, kube).values()) == ["primary", "replica", "replica"]


def test_the_members_disks_are_remembered_and_nobody_keeps_the_right_to_found(
    release: Release, kube: Kube
) -> None:
    lease = kube.get("Lease", release.component("mysql"))
    assert lease
    assert len(lease["metadata"]["annotations"][KNOWN_MEMBERS].split(",")) == 3
    assert not lease["spec"].get("holderIdentity")
    assert [owner["kind"] for owner in lease["metadata"]["ownerReferences"]] == ["StatefulSet"]


def test_a_primary_that_is_deleted_hands_over_before_it_goes(
    release: Release, kube: Kube, load: Load, figures: dict[str, str]
) -> None:
    old = primary(release, kube)

    def successor() -> str:
        found = primary(release, kube)
        if found == old:
            raise NotYetError(f"{old} still is")
        return found

    with load.running() as traffic:
        load.wait_for(accepted=5)
        started = time.monotonic()
        kube.delete("Pod", old)
        new = eventually("another member is labelled as primary", successor, LABEL_SECONDS)
        seconds = time.monotonic() - started
        load.wait_for(accepted=5)
        resumed = time.monotonic() - started
        release.wait_settled()
    assert any(f"SwitchedOver Pod/{old}" in event for event in kube.events()), kube.events()
    labels = settled_roles(release, kube)
    assert (labels[new], labels[old]) == ("primary", "replica")
    figures["primary deleted"] = (
        f"another one has the label after {seconds:.1f} s, "
        f"5 more tasks were accepted after {resumed:.1f} s; {traffic}"
    )
