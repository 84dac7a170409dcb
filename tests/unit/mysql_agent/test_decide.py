import pytest

from mysql_agent.cluster import ClusterView, Role, State
from mysql_agent.decide import TURN_SECONDS, Action, Reason, decide
from tests.unit.mysql_agent.views import GROUP, alone, answer, cluster, entry, in_group, offline, uuid

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
