"""The rule by which a member joins, bootstraps or waits; it looks at observations only."""

import math

from mysql_agent.cluster import Answer, ClusterView, Role, State, ViewEntry
from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.founding import Answered, forced, override, union, without_group
from mysql_agent.gtids import GtidSet

# Two members that join in the same second were seen to need 20 to 33 s, one after the other 3 s each.
TURN_SECONDS = 10.0
# The hook that stops the server waits for 20 s.
HAND_OVER_SECONDS = 15.0
# So many transactions are applied in well under a second; a smaller difference is chance.
NOTICEABLE_QUEUE = 100


def decide(cluster: ClusterView) -> Decision:
    """Decide for the observing member; any uncertainty about a peer means to wait."""
    own = cluster.own.answer
    if cluster.surroundings.stopping_seconds is not None:
        return _stopping(cluster, own, cluster.surroundings.stopping_seconds)
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


def _stopping(cluster: ClusterView, own: Answer | None, seconds: float) -> Decision:
    successor = _successor(cluster, own) if own and own.serves and own.role is Role.PRIMARY else None
    if successor and seconds < HAND_OVER_SECONDS:
        return Decision(
            Action.HAND_OVER,
            Reason.STOPPING,
            f"this server is being stopped: making {successor.address} the primary",
            successor.uuid,
        )
    return Decision(
        Action.RELEASE,
        Reason.STOPPING,
        f"this server is being stopped, {cluster.own.name} serves no more until it has started anew",
    )


def _successor(cluster: ClusterView, own: Answer) -> ViewEntry | None:
    """Return the member that can write soonest, if another one is online.

    Of equals the last one after this one, for a StatefulSet replaces its last pod first: the role will not
    have to be handed over a second time. If there is none the first one, which stays when there are to be
    fewer members.
    """
    peers = {peer.answer.uuid: (peer.answer, peer.ordinal) for peer in cluster.peers if peer.answer}

    def delay(entry: ViewEntry) -> tuple[float, int]:
        answer, ordinal = peers.get(entry.uuid, (None, 0))
        rank = -ordinal if ordinal > cluster.own.ordinal else ordinal
        return (answer.applier_queue // NOTICEABLE_QUEUE if answer else math.inf, rank)

    others = [entry for entry in own.view if entry.uuid != own.uuid and entry.state is State.ONLINE]
    return min(others, key=delay, default=None)


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
    members = [(cluster.own, own), *answered]
    if cluster.surroundings.forced:
        return forced(cluster, members)
    silent = [f"{peer.name} ({peer.error})" for peer in cluster.peers if not peer.answer]
    if silent:
        return Decision(
            Action.WAIT,
            Reason.PEER_UNREACHABLE,
            "no group is known and one may exist or hold newer data where nobody answers: "
            f"waiting for {', '.join(silent)}{override(cluster)}",
        )
    return without_group(cluster, members)


def _join(cluster: ClusterView, own: Answer, group: list[Answered]) -> Decision:
    known = union(answer.gtids for _, answer in group)
    return (
        _remembered(own, group)
        or _errant(own.gtids - known, group)
        or _others_turn(cluster, known)
        or _turn_on_the_primary(group)
    )


def _turn_on_the_primary(group: list[Answered]) -> Decision:
    primary = next((peer.name for peer, answer in group if answer.role is Role.PRIMARY), None)
    if primary is None:
        return Decision(
            Action.WAIT,
            Reason.PRIMARY_UNREACHABLE,
            f"waiting for the primary of the group of {_names(group)} to answer: "
            "a member that cannot reach it would hold everybody up",
        )
    return Decision(Action.JOIN, Reason.GROUP_FOUND, f"joining the group of {_names(group)}", primary=primary)


def _remembered(own: Answer, group: list[Answered]) -> Decision | None:
    # An attempt to join now would be refused, or block for 90 s inside the server. On a new disk it has a new
    # uuid, and its group still knows the address.
    entries = [entry for _, answer in group for entry in answer.view]
    if all(entry.uuid != own.uuid and entry.address != own.address for entry in entries):
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
