"""Agents that decide in turn, in a model of Group Replication: whatever was lost, the group comes back."""

from dataclasses import dataclass, field

from hypothesis import given
from hypothesis import strategies as st

from mysql_agent.cluster import Answer, Role, State, Surroundings, ViewEntry
from mysql_agent.decide import TURN_SECONDS, decide
from mysql_agent.decision import Action
from tests.unit.mysql_agent.views import answer, cluster, entry, in_kubernetes, offline, uuid

ROUNDS = 12
NEWEST = 9


@dataclass
class Group:
    """What the servers do by themselves: expel who is silent, recover who joins, leave without a majority."""

    transactions: list[int]  # the last one that each member holds
    online: set[int]
    down: dict[int, int]  # a server that does not answer, and for how many rounds
    around: Surroundings
    joined: set[int] = field(default_factory=set)  # in the view, but not ONLINE yet
    remembered: set[int] = field(default_factory=set)  # in the view, but gone
    founded: int = 0

    @property
    def members(self) -> range:
        return range(len(self.transactions))

    @property
    def view(self) -> tuple[ViewEntry, ...]:
        primary = min(self.online)
        return tuple(
            entry(each, self._state(each), Role.PRIMARY if each == primary else Role.SECONDARY)
            for each in sorted(self.online | self.joined | self.remembered)
        )

    def _state(self, member: int) -> State:
        if member in self.remembered:
            return State.UNREACHABLE
        return State.ONLINE if member in self.online else State.RECOVERING

    def says(self, member: int) -> Answer | None:
        if member in self.down:
            return None
        held = f"1-{self.transactions[member]}"
        if member in self.online | self.joined:
            return answer(member, self.view, held)
        return offline(member, held)

    def decide_in_turn(self, order: list[int], seconds: float) -> None:
        for member in order:
            answers = [self.says(each) for each in self.members]
            action = decide(
                cluster(member, *answers, group_seen_seconds=seconds, surroundings=self.around)
            ).action
            if action is Action.BOOTSTRAP:
                assert not self.online, "a second group"
                assert self.transactions[member] == max(self.transactions)
                self.online, self.founded = {member}, self.founded + 1
            elif action is Action.JOIN:
                self.joined.add(member)
            else:
                assert action is not Action.ALERT

    def goes_on(self) -> None:
        present = len(self.online | self.joined)
        if present * 2 <= present + len(self.remembered):
            self.online, self.joined, self.remembered = set(), set(), set()
        self.remembered = set()
        self.online |= self.joined
        self.joined = set()
        for member in self.online:
            self.transactions[member] = max(self.transactions)
        self.down = {member: rounds - 1 for member, rounds in self.down.items() if rounds > 1}


@st.composite
def losses(draw: st.DrawFn) -> Group:
    """A group that has just lost some members, for a while or for a moment, or that is down as a whole."""
    size = draw(st.integers(1, 5))
    online = draw(st.sets(st.integers(0, size - 1)))
    lost = set(range(size)) - online
    held = draw(st.lists(st.integers(1, NEWEST), min_size=size, max_size=size))
    holder = draw(st.sampled_from(sorted(online) or range(size)))
    held = [NEWEST if member == holder else transactions for member, transactions in enumerate(held)]
    down = draw(st.dictionaries(st.sampled_from(sorted(lost)), st.integers(1, 4))) if lost else {}
    remembered = draw(st.sets(st.sampled_from(sorted(lost)))) if online and lost else set()
    around = draw(st.sampled_from([Surroundings(), in_kubernetes(*range(size))]))
    return Group(held, online, down, around, remembered=remembered)


@given(losses(), st.data())
def test_whatever_members_are_lost_all_are_online_again_in_one_group(
    group: Group, data: st.DataObject
) -> None:
    for turn in range(ROUNDS):
        group.decide_in_turn(data.draw(st.permutations(group.members)), turn * TURN_SECONDS)
        group.goes_on()
    assert group.online == set(group.members)
    assert set(group.transactions) == {NEWEST}
    assert group.founded <= 1
    assert {each.uuid for each in group.view} == set(map(uuid, group.members))
