"""Which failures happen, how long each lasts and in which order: a pure function of a seed."""

import random
from dataclasses import dataclass
from enum import StrEnum

SECONDS = (2.0, 30.0)  # shorter than it takes to be noticed, and longer than a member waits for a majority


class Kind(StrEnum):
    """What can happen; the value is the name in the table."""

    PRIMARY_KILL = "primary killed"
    PRIMARY_KILL_AGAIN = "primary killed twice"
    PRIMARY_STOP = "primary stopped in order"
    PRIMARY_FREEZE = "primary frozen"
    PRIMARY_CUT = "primary cut off from its peers"
    PRIMARY_LOST = "primary cut off from everybody"
    PRIMARY_UNHEARD = "primary that one replica does not hear"
    PRIMARY_MUTE = "primary that clients do not hear"
    PRIMARY_FULL = "disk of the primary full"
    REPLICA_KILL = "replica killed"
    REPLICA_STOP = "replica stopped in order"
    REPLICA_FREEZE = "replica frozen"
    REPLICA_CUT = "replica cut off from its peers"
    REPLICA_LOST = "replica cut off from everybody"
    REPLICA_UNHEARD = "replica that the primary does not hear"
    DISK_WIPE = "disk of a member lost"
    DISK_COPY = "disk of a member lost, binary logs expired"
    TWO_KILL = "two members killed"
    ALL_KILL = "all members killed"
    ALL_STOP = "all stopped, the primary held back"
    AGENTS_KILL = "all agents killed"
    LOCK_HELD = "all members killed, the lock held by another"
    ROLL = "rolling restart of all members"

    @property
    def leaves_nobody(self) -> bool:
        """Tell whether for a while no member can answer."""
        return self.name.startswith(("TWO_", "ALL_", "LOCK_"))

    @property
    def is_noticed_late(self) -> bool:
        """Tell whether members act on it even when it is over: they suspect each other only after 5 s."""
        return self.name.endswith(("_FREEZE", "_CUT", "_LOST", "_UNHEARD"))

    @property
    def needs_network(self) -> bool:
        """Tell whether it needs a network, or a disk, of the run's own."""
        return self.name.endswith(("_CUT", "_LOST", "_UNHEARD", "_MUTE", "_FULL"))


@dataclass(frozen=True)
class Fault:
    kind: Kind
    seconds: float
    number: int  # of the replica

    def __str__(self) -> str:
        return f"{self.kind.value} ({self.seconds:.0f} s, replica {self.number + 1})"


def make_plan(seed: int, faults: int, *, has_network: bool = True) -> list[Fault]:
    """Draw faults: every kind once while there is room, the rest at random."""
    chance = random.Random(seed)
    kinds = [kind for kind in Kind if has_network or not kind.needs_network]
    drawn = chance.sample(kinds, min(faults, len(kinds)))
    drawn += chance.choices(kinds, k=faults - len(drawn))
    chance.shuffle(drawn)
    return [Fault(kind, round(chance.uniform(*SECONDS), 1), chance.randrange(2)) for kind in drawn]
