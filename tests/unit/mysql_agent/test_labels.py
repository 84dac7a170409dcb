"""Who writes which label, held against everything that members might answer."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mysql_agent.cluster import ClusterView, Role, State
from mysql_agent.decide import decide
from mysql_agent.labels import Rule, plan, to_remember
from mysql_agent.report import Report
from tests.unit.mysql_agent.test_decide_properties import outages, surroundings, worlds
from tests.unit.mysql_agent.views import alone, answer, cluster, entry, in_group, in_kubernetes, offline, uuid


def plan_for(seen: ClusterView) -> tuple[Rule, ...]:
    return plan(Report(seen, decide(seen), 0))


def test_the_primary_labels_every_member() -> None:
    view = (entry(0, role=Role.PRIMARY), entry(1), entry(2, State.UNREACHABLE))
    assert plan_for(cluster(0, answer(0, view), in_group(1), None)) == (
        Rule("mysql-0", "primary"),
        Rule("mysql-1", "replica"),
        Rule("mysql-2", None),
    )


def test_a_member_that_left_the_view_loses_its_label() -> None:
    assert plan_for(cluster(0, alone(0), offline(1), None))[1:] == (
        Rule("mysql-1", None),
        Rule("mysql-2", None),
    )


def test_a_replica_only_takes_back_that_it_was_primary() -> None:
    seen = cluster(1, None, in_group(1), None)
    assert plan_for(seen) == (Rule("mysql-1", None, only_instead_of="primary"),)


@pytest.mark.parametrize(
    "seen",
    [
        cluster(0, None, in_group(1)),
        cluster(0, offline(0), in_group(1)),
        cluster(0, answer(0, (entry(0, State.RECOVERING),))),
        cluster(0, answer(0, (entry(0, role=Role.PRIMARY), entry(1, State.UNREACHABLE)))),
        cluster(0, in_group(0), answer(1, (entry(1, role=Role.PRIMARY), entry(2)))),
        cluster(0, in_group(0, primary=1), surroundings=in_kubernetes(stopping_seconds=0)),
    ],
    ids=["no server", "outside", "recovering", "minority", "left behind", "stopping"],
)
def test_who_does_not_serve_takes_its_own_label_away(seen: ClusterView) -> None:
    assert plan_for(seen) == (Rule("mysql-0", None),)


def test_a_primary_that_hands_over_leaves_all_labels_as_they_are() -> None:
    seen = cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=0))
    assert plan_for(seen) == ()


@given(worlds() | outages(), surroundings())
def test_nobody_makes_another_pod_primary_and_only_a_primary_in_majority_writes_others_labels(
    world: list[object], around: object
) -> None:
    for own in range(len(world)):
        seen = cluster(own, *world, surroundings=around)  # type: ignore[arg-type]
        rules = plan_for(seen)
        others = [rule for rule in rules if rule.pod != seen.own.name]
        primaries = [rule.pod for rule in rules if rule.role == "primary"]
        assert primaries in ([], [seen.own.name])
        if primaries or others:
            assert seen.own.answer
            assert seen.own.answer.role is Role.PRIMARY
            assert seen.own.answer.serves


@given(st.integers(1, 5), st.data())
def test_of_one_consistent_view_at_most_one_pod_is_labelled_primary(size: int, data: st.DataObject) -> None:
    primary = data.draw(st.integers(0, size - 1))
    world = [in_group(ordinal, primary, size=size) for ordinal in range(size)]
    labels: dict[str, str | None] = {f"mysql-{ordinal}": None for ordinal in range(size)}
    for own in data.draw(st.permutations(range(size))):
        for rule in plan_for(cluster(own, *world)):
            if not rule.only_instead_of or labels[rule.pod] == rule.only_instead_of:
                labels[rule.pod] = rule.role
    assert labels == {
        f"mysql-{ordinal}": "primary" if ordinal == primary else "replica" for ordinal in range(size)
    }


def test_the_disks_of_the_group_are_remembered_and_a_replaced_one_is_forgotten_once_all_are_there() -> None:
    known = frozenset(map(uuid, (0, 1, 9)))
    incomplete = cluster(0, in_group(0, size=2), None, None)
    assert to_remember(incomplete, known) == known
    assert to_remember(incomplete, frozenset()) == frozenset(map(uuid, (0, 1)))
    assert to_remember(cluster(0, in_group(0), None, None), known) == frozenset(map(uuid, (0, 1, 2)))


def test_only_the_primary_remembers() -> None:
    assert to_remember(cluster(1, None, in_group(1), None), frozenset()) == frozenset()
