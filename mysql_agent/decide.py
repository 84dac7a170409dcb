"""The rule by which a member joins, bootstraps or waits; it looks at observations only."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mysql_agent.cluster import Answer, ClusterView, Observed, State
from mysql_agent.gtids import GtidSet

# Two members that join in the same second were seen to need 20 to 33 s, one after the other 3 s each.
TURN_SECONDS = 10.0

Answered = tuple[Observed, Answer]


class Action(StrEnum):
    NOTHING = "nothing"  # the member serves
    WAIT = "wait"
    JOIN = "join"
    BOOTSTRAP = "bootstrap"
    ALERT = "alert"  # only a person can go on


class Reason(StrEnum):
    COMPLETE = "complete"
    MEMBERS_MISSING = "members_missing"
    NO_MAJORITY = "no_majority"
    LEFT_BEHIND = "left_behind"
    SERVER_UNREACHABLE = "server_unreachable"
    RECOVERING = "recovering"
    GROUP_FOUND = "group_found"
    OTHERS_TURN = "others_turn"
    ERRANT_TRANSACTIONS = "errant_transactions"
    PEER_UNREACHABLE = "peer_unreachable"
    SAME_SERVER_TWICE = "same_server_twice"
    GROUP_WITHOUT_MAJORITY = "group_without_majority"
    FOUNDER = "founder"
    OTHER_FOUNDER = "other_founder"
    DIVERGED = "diverged"
    # Why a decision to join or to bootstrap had no effect yet:
    OLD_INCARNATION = "old_incarnation"
    START_REFUSED = "start_refused"
    LOCK_HELD = "lock_held"
    SITUATION_CHANGED = "situation_changed"
    NOT_ONLINE_YET = "not_online_yet"


@dataclass(frozen=True)
class Decision:
    action: Action
    reason: Reason
    message: str


def decide(cluster: ClusterView) -> Decision:
    """Decide for the observing member; any uncertainty about a peer means to wait."""
    own = cluster.own.answer
    if own is None:
        return Decision(
            Action.WAIT,
            Reason.SERVER_UNREACHABLE,
            f"waiting for the MySQL server of {cluster.own.name} to answer: {cluster.own.error}",
        )
    if own.state is State.RECOVERING:
        return Decision(Action.WAIT, Reason.RECOVERING, "waiting for the member to catch up with its group")
    if own.state is State.ONLINE:
        return _inside_group(cluster, own)
    return _outside_group(cluster, own)


def _inside_group(cluster: ClusterView, own: Answer) -> Decision:
    configured = len(cluster.members)
    seen = ", ".join(f"{entry.address} {entry.state}" for entry in own.view)
    if not own.in_majority:
        return Decision(
            Action.WAIT,
            Reason.NO_MAJORITY,
            f"waiting for a majority: nothing can be committed until more members return ({seen})",
        )
    left_behind_by = [
        peer.name for peer in cluster.peers if peer.answer and _goes_on_without(peer.answer, own)
    ]
    if left_behind_by:
        return Decision(
            Action.WAIT,
            Reason.LEFT_BEHIND,
            f"waiting for this server to notice that {', '.join(left_behind_by)} went on without it: "
            "it was frozen or cut off, and its view of the group is old",
        )
    if own.members_online < configured:
        return Decision(
            Action.NOTHING,
            Reason.MEMBERS_MISSING,
            f"serving as {own.role}; {own.members_online} of {configured} members are online ({seen})",
        )
    return Decision(Action.NOTHING, Reason.COMPLETE, f"serving as {own.role}; every member is online")


def _goes_on_without(peer: Answer, own: Answer) -> bool:
    # Merely UNREACHABLE does not count: one broken link between two members must not stop a good primary.
    return peer.serves and all(entry.uuid != own.uuid for entry in peer.view)


def _outside_group(cluster: ClusterView, own: Answer) -> Decision:
    answered = [(peer, peer.answer) for peer in cluster.peers if peer.answer]
    group = [(peer, answer) for peer, answer in answered if answer.serves]
    if group:
        return _join(cluster, own, group)
    silent = [f"{peer.name} ({peer.error})" for peer in cluster.peers if not peer.answer]
    if silent:
        return Decision(
            Action.WAIT,
            Reason.PEER_UNREACHABLE,
            "no group is known and one may exist or hold newer data where nobody answers: "
            f"waiting for {', '.join(silent)}",
        )
    return _without_group([(cluster.own, own), *answered], cluster.own)


def _join(cluster: ClusterView, own: Answer, group: list[Answered]) -> Decision:
    known = _union(answer.gtids for _, answer in group)
    return (
        _remembered(own, group)
        or _errant(own.gtids - known, group)
        or _others_turn(cluster, known)
        or Decision(Action.JOIN, Reason.GROUP_FOUND, f"joining the group of {_names(group)}")
    )


def _remembered(own: Answer, group: list[Answered]) -> Decision | None:
    # An attempt to join now would be refused, or block for 30 s and longer inside the server.
    if all(entry.uuid != own.uuid for _, answer in group for entry in answer.view):
        return None
    return Decision(
        Action.WAIT,
        Reason.OLD_INCARNATION,
        f"waiting for the group of {_names(group)} to expel this member's previous run",
    )


def _errant(transactions: GtidSet, group: list[Answered]) -> Decision | None:
    if not transactions:
        return None
    return Decision(
        Action.ALERT,
        Reason.ERRANT_TRANSACTIONS,
        f"this member holds transactions that its group ({_names(group)}) never saw: {transactions}; nothing "
        "is deleted. Save them if they matter, then remove this member's data directory: it will be "
        "copied anew",
    )


def _others_turn(cluster: ClusterView, known: GtidSet) -> Decision | None:
    earlier = [
        peer.name
        for peer in cluster.peers
        if peer.ordinal < cluster.own.ordinal and peer.answer and _may_join(peer.answer, known)
    ]
    patience = TURN_SECONDS * len(earlier)
    if cluster.group_seen_seconds >= patience:
        return None
    return Decision(
        Action.WAIT,
        Reason.OTHERS_TURN,
        f"waiting for {', '.join(earlier)} to join first, but not longer than {patience:g} s: "
        "members that join together hold each other up",
    )


def _names(members: list[Answered]) -> str:
    return ", ".join(member.name for member, _ in members)


def _may_join(answer: Answer, known: GtidSet) -> bool:
    return answer.state in {State.OFFLINE, State.ERROR} and known >= answer.gtids


def _without_group(members: list[Answered], own: Observed) -> Decision:
    undecided = [f"{m.name} {a.state}" for m, a in members if a.state in {State.ONLINE, State.RECOVERING}]
    if undecided:
        return Decision(
            Action.WAIT,
            Reason.GROUP_WITHOUT_MAJORITY,
            "waiting until the members of a group without majority have left or regained it: "
            f"{', '.join(undecided)}",
        )
    if len({answer.uuid for _, answer in members}) < len(members):
        return Decision(
            Action.ALERT,
            Reason.SAME_SERVER_TWICE,
            "two configured members are the same server or a copy of its data directory: correct "
            "MYSQL_AGENT_MEMBERS, or remove auto.cnf from the copy",
        )
    everything = _union(answer.gtids for _, answer in members)
    complete = [member for member, answer in members if answer.gtids >= everything]
    if not complete:
        return _diverged(members, everything)
    # A single configured member founds a group of one: the endpoints keep their meaning, and members that
    # are added later join it without any change to its data.
    founder = min(complete, key=lambda member: member.ordinal)
    if founder is own:
        return Decision(
            Action.BOOTSTRAP,
            Reason.FOUNDER,
            "every member answers, none is in a group and none holds a transaction that is missing here",
        )
    return Decision(Action.WAIT, Reason.OTHER_FOUNDER, f"waiting for {founder.name} to bootstrap the group")


def _diverged(members: list[Answered], everything: GtidSet) -> Decision:
    missing = "; ".join(f"{member.name} lacks {everything - answer.gtids}" for member, answer in members)
    return Decision(
        Action.ALERT,
        Reason.DIVERGED,
        f"no member holds all transactions, so none may found the group: {missing}. Decide which "
        "data is right, then remove the data directories of the other members",
    )


def _union(sets: Iterable[GtidSet]) -> GtidSet:
    union = GtidSet()
    for gtids in sets:
        union |= gtids
    return union
