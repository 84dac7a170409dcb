"""Observations for tests, built from as little as a test wants to say."""

from mysql_agent.cluster import Answer, ClusterView, Observed, Role, State, Surroundings, ViewEntry
from mysql_agent.gtids import GtidSet

GROUP = "aaaaaaaa-bbbb-cccc-dddd-eeeeeeeeeeee"


def uuid(ordinal: int) -> str:
    return f"00000000-0000-0000-0000-{ordinal:012d}"


def gtids(text: str) -> GtidSet:
    """`1-5` of the group, or nothing."""
    return GtidSet.parse(f"{GROUP}:{text}") if text else GtidSet()


def entry(ordinal: int, state: State = State.ONLINE, role: Role = Role.SECONDARY) -> ViewEntry:
    return ViewEntry(uuid(ordinal), f"mysql-{ordinal}:3306", state, role)


def answer(
    ordinal: int, view: tuple[ViewEntry, ...], transactions: str = "", **other: float | bool
) -> Answer:
    return Answer(uuid(ordinal), f"mysql-{ordinal}:3306", view, gtids(transactions), **other)  # type: ignore[arg-type]


def offline(ordinal: int, transactions: str = "", **other: int | bool) -> Answer:
    return answer(ordinal, (entry(ordinal, State.OFFLINE, Role.NONE),), transactions, **other)


def in_group(
    ordinal: int, primary: int = 0, transactions: str = "1-9", size: int = 3, **other: int | bool
) -> Answer:
    view = tuple(
        entry(each, role=Role.PRIMARY if each == primary else Role.SECONDARY) for each in range(size)
    )
    return answer(ordinal, view, transactions, **other)


def alone(ordinal: int, transactions: str = "1-9") -> Answer:
    """A group of one member that others may join."""
    return answer(ordinal, (entry(ordinal, role=Role.PRIMARY),), transactions)


def observed(ordinal: int, said: Answer | None) -> Observed:
    return Observed(f"mysql-{ordinal}", ordinal, f"mysql-{ordinal}:3306", said, "" if said else "timed out")


def cluster(
    own: int,
    *answers: Answer | None,
    group_seen_seconds: float = 0,
    surroundings: Surroundings = Surroundings(),  # noqa: B008 - immutable
) -> ClusterView:
    """What `own` sees when the members gave these answers, in the order of their numbers."""
    members = [observed(ordinal, said) for ordinal, said in enumerate(answers)]
    peers = tuple(member for member in members if member.ordinal != own)
    return ClusterView(members[own], peers, group_seen_seconds, surroundings)


def in_kubernetes(
    *known: int, forced: bool = False, stopping_seconds: float | None = None, answers: bool = True
) -> Surroundings:
    """What Kubernetes tells, if it answers: the members whose disks the group had, by their numbers."""
    return Surroundings(
        known_uuids=frozenset(map(uuid, known)) if answers else None,
        unknown_because="" if answers else "no answer",
        can_be_forced=True,
        forced=forced,
        stopping_seconds=stopping_seconds,
    )
