from dataclasses import replace

import pytest

from mysql_agent.cluster import ClusterView, Role, State
from mysql_agent.decide import TURN_SECONDS, decide
from mysql_agent.decision import Action, Reason
from tests.unit.mysql_agent.views import (
    GROUP,
    alone,
    answer,
    cluster,
    entry,
    in_group,
    in_kubernetes,
    offline,
    uuid,
)

CASES = {
    "an unreachable server of its own is waited for": (
        cluster(0, None, offline(1), offline(2)), Action.WAIT, Reason.SERVER_UNREACHABLE,
    ),
    "a recovering member is left alone": (
        cluster(0, answer(0, (entry(0, State.RECOVERING), entry(1), entry(2)))),
        Action.WAIT, Reason.RECOVERING,
    ),
    "a complete group is the final state": (
        cluster(0, in_group(0), None, None), Action.NOTHING, Reason.COMPLETE,
    ),
    "a group that lacks members serves and says so": (
        cluster(0, in_group(0, size=2), None, None), Action.NOTHING, Reason.MEMBERS_MISSING,
    ),
    "a minority waits": (
        cluster(0, answer(0, (entry(0), entry(1, State.UNREACHABLE))), None, None),
        Action.WAIT, Reason.NO_MAJORITY,
    ),
    "a frozen primary that the others expelled does not serve": (
        cluster(0, in_group(0), answer(1, (entry(1, role=Role.PRIMARY), entry(2))), None),
        Action.WAIT, Reason.LEFT_BEHIND,
    ),
    "a primary stays when one broken link makes a peer call it unreachable": (
        cluster(0, in_group(0), answer(1, (entry(0, State.UNREACHABLE), entry(1), entry(2))), None),
        Action.NOTHING, Reason.COMPLETE,
    ),
    "a member outside joins the group it finds": (
        cluster(2, None, alone(1), offline(2, "1-7")), Action.JOIN, Reason.GROUP_FOUND,
    ),
    "a member that cannot reach the primary does not join": (
        cluster(2, None, in_group(1, primary=0, size=2), offline(2, "1-7")),
        Action.WAIT, Reason.PRIMARY_UNREACHABLE,
    ),
    "a member in error joins as well": (
        cluster(0, answer(0, (entry(0, State.ERROR, Role.NONE),)), alone(1), None),
        Action.JOIN, Reason.GROUP_FOUND,
    ),
    "the second of two members outside waits its turn": (
        cluster(2, alone(0), offline(1), offline(2)), Action.WAIT, Reason.OTHERS_TURN,
    ),
    "the first of two members outside joins at once": (
        cluster(1, alone(0), offline(1), offline(2)), Action.JOIN, Reason.GROUP_FOUND,
    ),
    "the second of two joins once the first had its time": (
        cluster(2, alone(0), offline(1), offline(2), group_seen_seconds=TURN_SECONDS),
        Action.JOIN, Reason.GROUP_FOUND,
    ),
    "nobody waits for a member that may not join": (
        cluster(2, alone(0), offline(1, "1-99"), offline(2)), Action.JOIN, Reason.GROUP_FOUND,
    ),
    "a restarted member waits until the group has noticed that its previous run is gone": (
        cluster(2, in_group(0), in_group(1), offline(2, "1-9")), Action.WAIT, Reason.OLD_INCARNATION,
    ),
    "so does one whose disk was replaced, which the group knows by its address alone": (
        cluster(2, in_group(0), in_group(1), replace(offline(2), uuid=uuid(9))),
        Action.WAIT, Reason.OLD_INCARNATION,
    ),
    "errant transactions are reported, not thrown away": (
        cluster(0, offline(0, "1-10"), alone(1), None),
        Action.ALERT, Reason.ERRANT_TRANSACTIONS,
    ),
    "a new cluster is founded by its first member": (
        cluster(0, offline(0), offline(1), offline(2)), Action.BOOTSTRAP, Reason.FOUNDER,
    ),
    "the others wait for the founder": (
        cluster(1, offline(0), offline(1), offline(2)), Action.WAIT, Reason.OTHER_FOUNDER,
    ),
    "after an outage the member with all transactions founds": (
        cluster(2, offline(0, "1-5"), offline(1), offline(2, "1-7")), Action.BOOTSTRAP, Reason.FOUNDER,
    ),
    "an empty first member does not found over others' data": (
        cluster(0, offline(0), offline(1, "1-7"), offline(2, "1-5")), Action.WAIT, Reason.OTHER_FOUNDER,
    ),
    "one silent peer keeps everybody from founding": (
        cluster(0, offline(0, "1-7"), offline(1, "1-5"), None), Action.WAIT, Reason.PEER_UNREACHABLE,
    ),
    "a group without majority is waited for": (
        cluster(0, offline(0), answer(1, (entry(1), entry(0, State.UNREACHABLE))), offline(2)),
        Action.WAIT, Reason.GROUP_WITHOUT_MAJORITY,
    ),
    "diverged members stop": (
        cluster(0, offline(0, "1-5:7"), offline(1, "1-6"), offline(2)), Action.ALERT, Reason.DIVERGED,
    ),
    "the same server under two names is no second witness": (
        cluster(0, offline(0), offline(0), offline(2)), Action.ALERT, Reason.SAME_SERVER_TWICE,
    ),
    "a member that knows all the disks of the group founds it": (
        cluster(0, offline(0), offline(1), offline(2), surroundings=in_kubernetes(0, 1, 2)),
        Action.BOOTSTRAP, Reason.FOUNDER,
    ),
    "a disk that was replaced in an outage is waited for": (
        cluster(0, offline(0, "1-7"), offline(1, "1-7"), offline(2), surroundings=in_kubernetes(0, 1, 5)),
        Action.WAIT, Reason.DISK_REPLACED,
    ),
    "nobody founds while the Kubernetes API is silent": (
        cluster(0, offline(0), offline(1), offline(2), surroundings=in_kubernetes(answers=False)),
        Action.WAIT, Reason.KUBERNETES_UNREACHABLE,
    ),
    "joining needs no Kubernetes API": (
        cluster(2, None, alone(1), offline(2, "1-7"), surroundings=in_kubernetes(answers=False)),
        Action.JOIN, Reason.GROUP_FOUND,
    ),
    "serving needs no Kubernetes API": (
        cluster(0, in_group(0), None, None, surroundings=in_kubernetes(answers=False)),
        Action.NOTHING, Reason.COMPLETE,
    ),
    "a person may have the group founded without a silent member": (
        cluster(1, None, offline(1, "1-7"), None, surroundings=in_kubernetes(0, 1, 2, forced=True)),
        Action.BOOTSTRAP, Reason.FORCED,
    ),
    "a person may decide between diverged members": (
        cluster(1, offline(0, "1-5:7"), offline(1, "1-6"), surroundings=in_kubernetes(forced=True)),
        Action.BOOTSTRAP, Reason.FORCED,
    ),
    "an order to found is overtaken by a group that is there": (
        cluster(1, alone(0), offline(1, "1-7"), None, surroundings=in_kubernetes(forced=True)),
        Action.JOIN, Reason.GROUP_FOUND,
    ),
    "an order to found waits for members that are still in a group": (
        cluster(1, answer(0, (entry(0), entry(1, State.UNREACHABLE))), offline(1), None,
                surroundings=in_kubernetes(forced=True)),
        Action.WAIT, Reason.GROUP_WITHOUT_MAJORITY,
    ),
    "a primary that is to be stopped hands over": (
        cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=1)),
        Action.HAND_OVER, Reason.STOPPING,
    ),
    "a primary that could not hand over in time lets go": (
        cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=16)),
        Action.RELEASE, Reason.STOPPING,
    ),
    "a primary without another member online lets go": (
        cluster(0, alone(0), None, surroundings=in_kubernetes(stopping_seconds=1)),
        Action.RELEASE, Reason.STOPPING,
    ),
    "a replica that is to be stopped lets go at once": (
        cluster(1, None, in_group(1), surroundings=in_kubernetes(stopping_seconds=1)),
        Action.RELEASE, Reason.STOPPING,
    ),
    "a server that is to be stopped founds nothing": (
        cluster(0, offline(0), offline(1), surroundings=in_kubernetes(stopping_seconds=1)),
        Action.RELEASE, Reason.STOPPING,
    ),
    "a server that has been stopped is not waited for": (
        cluster(0, None, surroundings=in_kubernetes(stopping_seconds=1)), Action.RELEASE, Reason.STOPPING,
    ),
    "a single configured member founds a group of one": (
        cluster(0, offline(0, "1-5")), Action.BOOTSTRAP, Reason.FOUNDER,
    ),
}  # fmt: skip


@pytest.mark.parametrize(("seen", "action", "reason"), CASES.values(), ids=CASES.keys())
def test_decision(seen: ClusterView, action: Action, reason: Reason) -> None:
    decision = decide(seen)
    assert (decision.action, decision.reason) == (action, reason)


def test_who_does_not_answer_is_named_with_the_cause() -> None:
    decision = decide(cluster(0, offline(0), None, offline(2)))
    assert "mysql-1 (timed out)" in decision.message


def test_errant_transactions_are_named() -> None:
    decision = decide(cluster(0, offline(0, "1-10"), alone(1, "1-8"), None))
    assert f"{GROUP}:9-10" in decision.message
    assert "nothing is deleted" in decision.message


def test_diverged_members_are_named_with_what_each_lacks() -> None:
    message = decide(cluster(0, offline(0, "1-5"), offline(1, "2-6"), offline(2))).message
    assert f"mysql-0 lacks {GROUP}:6" in message
    assert f"mysql-1 lacks {GROUP}:1" in message


def test_a_peer_with_errant_transactions_of_its_own_does_not_hide_those_of_the_member() -> None:
    seen = cluster(2, alone(0), offline(1, "1-20"), offline(2, "1-15"))
    assert decide(seen).reason is Reason.ERRANT_TRANSACTIONS


def test_a_server_that_never_started_replication_counts_as_offline() -> None:
    assert answer(0, ()).state is State.OFFLINE
    assert answer(0, ()).role is Role.NONE
    assert not answer(0, (entry(1), entry(2))).in_majority, uuid(0)


@pytest.mark.parametrize(
    ("queues", "successor"), [((200, 900), 1), ((900, 200), 2), ((3, 9), 2), ((None, 900), 2), ((3, None), 1)]
)
def test_the_successor_has_the_least_to_apply_and_is_the_last_one_of_equals(
    queues: tuple[int | None, int | None], successor: int
) -> None:
    peers = [
        None if queue is None else in_group(ordinal, applier_queue=queue)
        for ordinal, queue in enumerate(queues, start=1)
    ]
    seen = cluster(0, in_group(0), *peers, surroundings=in_kubernetes(stopping_seconds=0))
    assert decide(seen).successor == uuid(successor)


@pytest.mark.parametrize(("primary", "successor"), [(0, 4), (2, 4), (4, 0)])
def test_the_role_goes_where_it_will_not_have_to_be_handed_over_again(primary: int, successor: int) -> None:
    answers = [in_group(n, primary, size=5) for n in range(5)]
    seen = cluster(primary, *answers, surroundings=in_kubernetes(stopping_seconds=0))
    assert decide(seen).successor == uuid(successor)


def test_a_member_that_is_not_online_is_no_successor() -> None:
    view = (entry(0, role=Role.PRIMARY), entry(1, State.RECOVERING), entry(2))
    seen = cluster(0, answer(0, view), None, None, surroundings=in_kubernetes(stopping_seconds=0))
    assert decide(seen).successor == uuid(2)


@pytest.mark.parametrize(
    "seen",
    [
        cluster(1, offline(0), offline(1, "1-7"), offline(2), surroundings=in_kubernetes(0, 1, 5)),
        cluster(2, offline(0), offline(1, "1-7"), offline(2), surroundings=in_kubernetes(0, 1, 5)),
    ],
    ids=["founder", "other"],
)
def test_every_member_says_how_a_person_overrules_the_wait_for_a_disk(seen: ClusterView) -> None:
    message = decide(seen).message
    assert uuid(5) in message
    assert message.endswith("kubectl annotate pod mysql-1 conveyor/force-bootstrap=true")


def test_outside_kubernetes_no_override_is_offered() -> None:
    assert "annotate" not in decide(cluster(0, offline(0), None)).message
    seen = cluster(0, offline(0), None, surroundings=in_kubernetes())
    assert "annotate pod the member with the newest data" not in decide(seen).message
    assert "conveyor/force-bootstrap=true" in decide(seen).message
