"""What one look at all configured members showed."""

from dataclasses import dataclass
from enum import StrEnum

from mysql_agent.gtids import GtidSet


class State(StrEnum):
    ONLINE = "ONLINE"
    RECOVERING = "RECOVERING"
    OFFLINE = "OFFLINE"
    ERROR = "ERROR"
    UNREACHABLE = "UNREACHABLE"


class Role(StrEnum):
    PRIMARY = "PRIMARY"
    SECONDARY = "SECONDARY"
    NONE = ""


@dataclass(frozen=True)
class ViewEntry:
    """One row of the group's membership as one member sees it."""

    uuid: str
    address: str
    state: State
    role: Role


@dataclass(frozen=True)
class Answer:
    """What one MySQL server said about itself."""

    uuid: str
    address: str  # by which its group knows it
    view: tuple[ViewEntry, ...]
    gtids: GtidSet  # executed or received: what would be there after applying everything it holds
    applier_queue: int = 0
    lag_seconds: float = 0.0  # since the primary committed what is being applied
    bootstrap_flag: bool = False
    uptime_seconds: float | None = None

    @property
    def own_entry(self) -> ViewEntry | None:
        return next((entry for entry in self.view if entry.uuid == self.uuid), None)

    @property
    def state(self) -> State:
        # A server that never started Group Replication lists no member of its own.
        return self.own_entry.state if self.own_entry else State.OFFLINE

    @property
    def role(self) -> Role:
        return self.own_entry.role if self.own_entry else Role.NONE

    @property
    def in_majority(self) -> bool:
        alive = [entry for entry in self.view if entry.state in {State.ONLINE, State.RECOVERING}]
        return self.state in {State.ONLINE, State.RECOVERING} and len(alive) * 2 > len(self.view)

    @property
    def serves(self) -> bool:
        """Is it a working part of a group that can commit?"""
        return self.state is State.ONLINE and self.in_majority

    @property
    def members_online(self) -> int:
        return sum(entry.state is State.ONLINE for entry in self.view)


@dataclass(frozen=True)
class Observed:
    """One configured member and its answer, or why there is none."""

    name: str
    ordinal: int
    address: str
    answer: Answer | None
    error: str = ""


@dataclass(frozen=True)
class Surroundings:
    """What the members do not know themselves; the defaults are those of members outside Kubernetes."""

    known_uuids: frozenset[str] | None = frozenset()  # of the disks the group had; None: nobody answers
    unknown_because: str = ""
    memory: str = ""  # the file that tells which disks the group had, where a file does
    can_be_forced: bool = False
    forced: bool = False  # a person ordered this member to found the group
    stopping_seconds: float | None = None  # since it was announced that this member's server will be stopped


@dataclass(frozen=True)
class ClusterView:
    """All configured members as one of them sees them; a secondary in a group does not ask the others."""

    own: Observed
    peers: tuple[Observed, ...]
    group_seen_seconds: float = 0.0  # for how long the member has been outside a group that serves
    surroundings: Surroundings = Surroundings()

    @property
    def members(self) -> tuple[Observed, ...]:
        return (self.own, *self.peers)
