"""Which role labels an agent may write; Services send clients by them."""

from dataclasses import dataclass

from mysql_agent.cluster import Answer, ClusterView, Observed, Role, State
from mysql_agent.decision import Action
from mysql_agent.report import Report

PRIMARY, REPLICA = "primary", "replica"


@dataclass(frozen=True)
class Rule:
    """One pod's label as it should be; `only_instead_of` leaves any other label as it is."""

    pod: str
    role: str | None
    only_instead_of: str | None = None


def plan(report: Report) -> tuple[Rule, ...]:
    """The primary in majority labels every member, for a pod on a dead node cannot; others only step back."""
    own, action = report.cluster.own, report.decision.action
    if action is Action.HAND_OVER:
        return ()  # from now on another may be the primary, and have said so before this is written
    if not (own.answer and own.answer.serves and action is Action.NOTHING):
        return (Rule(own.name, None),)
    if own.answer.role is not Role.PRIMARY:
        return (Rule(own.name, None, only_instead_of=PRIMARY),)
    replicas = (Rule(peer.name, _role(peer, own.answer)) for peer in report.cluster.peers)
    return (Rule(own.name, PRIMARY), *replicas)


def _role(peer: Observed, primary: Answer) -> str | None:
    entry = next((entry for entry in primary.view if _is(peer, entry.uuid, entry.address)), None)
    return REPLICA if entry and entry.state is State.ONLINE else None


def _is(member: Observed, uuid: str, address: str) -> bool:
    return member.answer.uuid == uuid if member.answer else member.address == address


def to_remember(cluster: ClusterView, known: frozenset[str]) -> frozenset[str]:
    """Return the members' uuids that the group has; one that is missing is forgotten when all are there."""
    own = cluster.own.answer
    if not (own and own.serves and own.role is Role.PRIMARY):
        return known
    online = frozenset(entry.uuid for entry in own.view if entry.state is State.ONLINE)
    return online if len(online) >= len(cluster.members) else online | known
