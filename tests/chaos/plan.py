"""Which faults happen, to whom, for how long and in which order: a pure function of a seed."""

import random
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

# Two faults at once, in so many of the steps.
OVERLAPS = 0.25
PAUSE_SECONDS = (0.3, 2.5)
OFFSET_SECONDS = (0.0, 1.5)
FREEZE_SECONDS = (0.5, 12.0)  # from less than a lease to more than the visibility timeout
CUT_SECONDS = (0.5, 6.0)
DELAY_SECONDS = (0.05, 1.5)


class Kind(StrEnum):
    """What can happen; the value is the name in the table."""

    WORKER_KILL = "worker, kill -9"
    WORKER_TERM = "worker, SIGTERM"
    WORKER_FREEZE = "worker, SIGSTOP"
    CHILD_KILL = "process of a worker's pool, kill -9"
    RELAY_KILL = "relay, kill -9"
    RELAY_TERM = "relay, SIGTERM"
    RELAY_FREEZE = "relay, SIGSTOP"
    API_KILL = "API, kill -9"
    API_TERM = "API, SIGTERM"
    API_FREEZE = "API, SIGSTOP"
    REDIS_KILL = "Redis, kill -9"
    REDIS_WIPE = "Redis, kill -9 and its data gone"
    REDIS_FREEZE = "Redis, SIGSTOP"
    PRIMARY_KILL = "MySQL primary, kill -9"
    PRIMARY_FREEZE = "MySQL primary, SIGSTOP"
    REPLICA_KILL = "MySQL replica, kill -9"
    REPLICA_FREEZE = "MySQL replica, SIGSTOP"
    AGENT_KILL = "MySQL agent, kill -9"
    REDIS_RESET = "connections to Redis reset"
    REDIS_DELAY = "connections to Redis slow"
    REDIS_HALF_CLOSE = "connections to Redis half closed"
    REDIS_SILENCE = "connections to Redis silent"
    MYSQL_RESET = "connections to MySQL reset"
    MYSQL_DELAY = "connections to MySQL slow"
    MYSQL_HALF_CLOSE = "connections to MySQL half closed"
    MYSQL_SILENCE = "connections to MySQL silent"

    @property
    def part(self) -> str:
        """Return what it happens to."""
        return self.name.partition("_")[0].lower()

    @property
    def family(self) -> str:
        return f"{FAMILIES.get(self.part, self.part)}{' cut' if self.is_cut else ''}"

    @property
    def is_cut(self) -> bool:
        return self.name.partition("_")[2] in {"RESET", "DELAY", "HALF_CLOSE", "SILENCE"}

    @property
    def harms_a_member(self) -> bool:
        """Tell whether a MySQL server, or what keeps it in its group, is gone for a while."""
        return self.family == "mysql"


FAMILIES = {"child": "worker", "primary": "mysql", "replica": "mysql", "agent": "mysql"}
# A group takes half a minute to be whole again, so its members are hurt less often.
WEIGHTS = {kind: 1 if kind.harms_a_member else 2 for kind in Kind} | {
    Kind.WORKER_KILL: 4,
    Kind.CHILD_KILL: 3,
    Kind.REDIS_KILL: 3,
    Kind.REDIS_WIPE: 3,
}
CLIENTS = ("api", "worker", "relay")
# how many there are to choose from
ONE_OF = {"worker": 2, "child": 2, "relay": 2, "api": 3, "replica": 2, "agent": 3}


@dataclass(frozen=True)
class Fault:
    """One fault. Which MySQL server is the primary shows only when it happens."""

    kind: Kind
    offset: float  # seconds after the step's begin
    number: int = 1  # of the worker, relay or API; of the replica
    seconds: float = 0.0  # of a freeze or a cut
    clients: tuple[str, ...] = CLIENTS  # whose connections
    whole: bool = False  # the pool of a frozen worker as well; answers as well as questions
    delay: float = 0.0

    def __str__(self) -> str:
        facts = [
            *([f"no. {self.number}"] if self.kind.part in ONE_OF else []),
            *([f"for {self.seconds:.1f} s"] if self.seconds else []),
            *(["of " + ", ".join(self.clients)] if self.kind.is_cut else []),
            *(["whole"] if self.whole else []),
            *([f"by {self.delay:.2f} s"] if self.delay else []),
        ]
        return self.kind.value + (f" ({'; '.join(facts)})" if facts else "")


@dataclass(frozen=True)
class Step:
    """One fault, or two at once; the next step begins when the system has recovered."""

    pause: float
    faults: tuple[Fault, ...]

    def __str__(self) -> str:
        return f"after {self.pause:.1f} s: " + " and ".join(map(str, self.faults))


Plan = tuple[Step, ...]


def make_plan(seed: int, faults: int, kinds: Collection[Kind] = tuple(Kind)) -> Plan:
    """Return the steps of a run; the same arguments always give the same ones."""
    chance = random.Random(seed)
    drawn = _draw_kinds(chance, faults, [kind for kind in Kind if kind in kinds])
    steps: list[Step] = []
    while drawn:
        first = drawn.pop()
        second = _companion(first, drawn) if chance.random() < OVERLAPS else None
        together = [_fault(chance, first, 0.0)]
        if second:
            drawn.remove(second)
            together.append(_fault(chance, second, chance.uniform(*OFFSET_SECONDS)))
        steps.append(Step(round(chance.uniform(*PAUSE_SECONDS), 2), tuple(together)))
    return tuple(steps)


def count_faults(plan: Iterable[Step]) -> int:
    return sum(len(step.faults) for step in plan)


def _draw_kinds(chance: random.Random, faults: int, kinds: Sequence[Kind]) -> list[Kind]:
    """Draw every kind at least once; where that is too many, every family."""
    drawn = list(kinds)
    if faults < len(drawn):
        chance.shuffle(drawn)
        drawn = list({kind.family: kind for kind in drawn}.values())[:faults]
        others = [kind for kind in kinds if kind not in drawn]
        drawn += chance.sample(others, min(faults - len(drawn), len(others)))
    else:
        weights = [WEIGHTS[kind] for kind in kinds]
        drawn += chance.choices(kinds, weights, k=faults - len(drawn))
    chance.shuffle(drawn)
    return drawn


def _companion(first: Kind, drawn: Sequence[Kind]) -> Kind | None:
    """Return a kind that may happen at the same time: something else, and never two members."""
    return next(
        (
            kind
            for kind in reversed(drawn)
            if kind.part != first.part and not (kind.harms_a_member and first.harms_a_member)
        ),
        None,
    )


def _fault(chance: random.Random, kind: Kind, offset: float) -> Fault:
    # always as many draws, so that a change of one kind leaves the others of a seed as they were
    number, freeze, cut = chance.randint(1, 6), chance.uniform(*FREEZE_SECONDS), chance.uniform(*CUT_SECONDS)
    delay, whole, everyone = chance.uniform(*DELAY_SECONDS), chance.random() < 0.5, chance.random() < 0.5
    client = chance.choice(CLIENTS)
    frozen = kind.name.endswith("FREEZE")
    return Fault(
        kind,
        round(offset, 2),
        number=(number - 1) % ONE_OF.get(kind.part, 1) + 1,
        seconds=round(freeze if frozen else cut if kind.is_cut else 0.0, 2),
        clients=CLIENTS if everyone or not kind.is_cut else (client,),
        whole=whole and (kind is Kind.WORKER_FREEZE or kind.is_cut),
        delay=round(delay, 2) if kind.name.endswith("DELAY") else 0.0,
    )
