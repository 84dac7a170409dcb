"""The rule by which a group is founded when there is none; any uncertainty means to wait."""

from collections.abc import Iterable

from mysql_agent.cluster import Answer, ClusterView, Observed, State
from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.gtids import GtidSet

Answered = tuple[Observed, Answer]


def without_group(cluster: ClusterView, members: list[Answered]) -> Decision:
    """Decide for a member whose configured members all answered, none of them serving."""
    if obstacle := _undecided(members) or _same_server_twice(members):
        return obstacle
    everything = union(answer.gtids for _, answer in members)
    complete = [member for member, answer in members if answer.gtids >= everything]
    if not complete:
        return _diverged(cluster, members, everything)
    # A single configured member founds a group of one: the endpoints keep their meaning, and members that
    # are added later join it without any change to its data.
    founder = min(complete, key=lambda member: member.ordinal)
    return _guarded(cluster, members, founder) or _found_or_wait(cluster, founder)


def forced(cluster: ClusterView, members: list[Answered]) -> Decision:
    """Decide for a member that a person ordered to found the group; who is silent is left aside."""
    return (
        _undecided(members)
        or _same_server_twice(members)
        or Decision(
            Action.BOOTSTRAP,
            Reason.FORCED,
            f"a person ordered {cluster.own.name} to found the group, and no member that answers is in one",
        )
    )


def override(cluster: ClusterView, founder: str = "") -> str:
    """Say how a person overrules the wait; nothing where that is not offered."""
    if not cluster.surroundings.can_be_forced:
        return ""
    return (
        f". If you know that nothing is lost by it, order {founder or 'the member with the right data'} to "
        f"found the group: kubectl annotate pod {founder or 'NAME'} conveyor/force-bootstrap=true"
    )


def _forget(cluster: ClusterView) -> str:
    memory = cluster.surroundings.memory
    return f". If you know that nothing is lost by it, remove {memory}" if memory else ""


def union(sets: Iterable[GtidSet]) -> GtidSet:
    united = GtidSet()
    for gtids in sets:
        united |= gtids
    return united


def _undecided(members: list[Answered]) -> Decision | None:
    undecided = [f"{m.name} {a.state}" for m, a in members if a.state in {State.ONLINE, State.RECOVERING}]
    if not undecided:
        return None
    return Decision(
        Action.WAIT,
        Reason.GROUP_WITHOUT_MAJORITY,
        "waiting until the members of a group without majority have left or regained it: "
        f"{', '.join(undecided)}",
    )


def _same_server_twice(members: list[Answered]) -> Decision | None:
    if len({answer.uuid for _, answer in members}) == len(members):
        return None
    return Decision(
        Action.ALERT,
        Reason.SAME_SERVER_TWICE,
        "two configured members are the same server or a copy of its data directory: correct "
        "MYSQL_AGENT_MEMBERS, or remove auto.cnf from the copy",
    )


def _diverged(cluster: ClusterView, members: list[Answered], everything: GtidSet) -> Decision:
    missing = "; ".join(f"{member.name} lacks {everything - answer.gtids}" for member, answer in members)
    return Decision(
        Action.ALERT,
        Reason.DIVERGED,
        f"no member holds all transactions, so none may found the group: {missing}. Decide which "
        "data is right, then remove the data directories of the other members" + override(cluster),
    )


def _guarded(cluster: ClusterView, members: list[Answered], founder: Observed) -> Decision | None:
    """Wait if a disk is gone that the group once had: it may have held what no other disk holds yet."""
    known = cluster.surroundings.known_uuids
    if known is None:
        return Decision(
            Action.WAIT,
            Reason.KUBERNETES_UNREACHABLE,
            "waiting for the Kubernetes API to tell which members the group had, and to lend the right to "
            f"found it: {cluster.surroundings.unknown_because}",
        )
    gone = sorted(known - {answer.uuid for _, answer in members})
    if not gone:
        return None
    return Decision(
        Action.WAIT,
        Reason.DISK_REPLACED,
        f"the group had {len(gone)} member(s) whose data directory is not here ({', '.join(gone)}): a disk "
        "was replaced while no group was running, and it may have held transactions that no other disk "
        f"holds; waiting for it to return{override(cluster, founder.name) or _forget(cluster)}",
    )


def _found_or_wait(cluster: ClusterView, founder: Observed) -> Decision:
    if founder is cluster.own:
        return Decision(
            Action.BOOTSTRAP,
            Reason.FOUNDER,
            "every member answers, none is in a group and none holds a transaction that is missing here",
        )
    return Decision(Action.WAIT, Reason.OTHER_FOUNDER, f"waiting for {founder.name} to bootstrap the group")
