"""The rule of bootstrapping, held against everything that members might answer."""

from hypothesis import given
from hypothesis import strategies as st

from mysql_agent.cluster import Answer, ClusterView, Role, State, Surroundings, ViewEntry
from mysql_agent.decide import TURN_SECONDS, decide
from mysql_agent.decision import Action
from tests.unit.mysql_agent.views import answer, cluster, entry, in_kubernetes, offline

SIZES = st.integers(1, 5)
TRANSACTIONS = st.sampled_from(["", "1-3", "1-5", "1-5:7", "1-7", "2-9", "1-9"])
OUTSIDE = st.sampled_from([State.OFFLINE, State.ERROR])


@st.composite
def answers(draw: st.DrawFn, ordinal: int, size: int) -> Answer | None:
    """Anything one member may say, however little it fits with the others."""
    if draw(st.booleans()) and draw(st.booleans()):
        return None
    others = [each for each in range(size) if each != ordinal]
    own_state = draw(st.sampled_from([state for state in State if state is not State.UNREACHABLE]))
    view: list[ViewEntry] = [entry(ordinal, own_state, draw(st.sampled_from(Role)))]
    if own_state not in {State.OFFLINE, State.ERROR}:
        view += [entry(each, draw(st.sampled_from(State))) for each in others if draw(st.booleans())]
    return answer(ordinal, tuple(view), draw(TRANSACTIONS))


@st.composite
def worlds(draw: st.DrawFn) -> list[Answer | None]:
    size = draw(SIZES)
    return [draw(answers(ordinal, size)) for ordinal in range(size)]


@st.composite
def outages(draw: st.DrawFn) -> list[Answer | None]:
    """Everybody answers and nobody is in a group."""
    return [
        answer(ordinal, (entry(ordinal, draw(OUTSIDE), Role.NONE),), draw(TRANSACTIONS))
        for ordinal in range(draw(SIZES))
    ]


@st.composite
def surroundings(draw: st.DrawFn) -> Surroundings:
    """Anything Kubernetes may know or not know; nobody's order, and nobody is being stopped."""
    if draw(st.booleans()):
        return Surroundings()
    known = draw(st.frozensets(st.integers(0, 5)))
    return in_kubernetes(*known, answers=draw(st.booleans()))


ORDERS = st.builds(in_kubernetes, st.integers(0, 5), forced=st.just(value=True), answers=st.booleans())
STOPS = st.builds(in_kubernetes, forced=st.booleans(), stopping_seconds=st.floats(0, 60))
UNKNOWN = Surroundings()


def views_of(
    world: list[Answer | None], seconds: float = 0, around: Surroundings = UNKNOWN
) -> list[ClusterView]:
    return [
        cluster(own, *world, group_seen_seconds=seconds, surroundings=around) for own in range(len(world))
    ]


@given(worlds() | outages(), surroundings())
def test_nobody_bootstraps_unless_every_member_answers_and_none_is_in_a_group(
    world: list[Answer | None], around: Surroundings
) -> None:
    for view in views_of(world, around=around):
        if decide(view).action is Action.BOOTSTRAP:
            assert None not in world
            assert all(said.state in {State.OFFLINE, State.ERROR} for said in world if said)


@given(outages(), surroundings())
def test_nobody_bootstraps_while_a_disk_that_the_group_had_is_missing_or_unknown(
    world: list[Answer | None], around: Surroundings
) -> None:
    for view in views_of(world, around=around):
        if decide(view).action is Action.BOOTSTRAP:
            assert around.known_uuids is not None
            assert around.known_uuids <= {said.uuid for said in world if said}


@given(worlds() | outages(), ORDERS)
def test_an_order_to_found_is_obeyed_unless_a_member_that_answers_is_in_a_group(
    world: list[Answer | None], around: Surroundings
) -> None:
    for view in views_of(world, around=around):
        own = view.own.answer
        answers = [said for said in world if said]
        in_a_group = any(said.state not in {State.OFFLINE, State.ERROR} for said in answers)
        bootstraps = decide(view).action is Action.BOOTSTRAP
        assert bootstraps == (own is not None and not in_a_group)


@given(worlds(), STOPS)
def test_a_server_that_is_to_be_stopped_starts_nothing_and_hands_over_to_a_member_that_is_online(
    world: list[Answer | None], around: Surroundings
) -> None:
    for view in views_of(world, around=around):
        decision = decide(view)
        assert decision.action in {Action.HAND_OVER, Action.RELEASE}
        if decision.action is Action.HAND_OVER:
            assert view.own.answer
            online = {entry.uuid for entry in view.own.answer.view if entry.state is State.ONLINE}
            assert decision.successor in online - {view.own.answer.uuid}


@given(worlds() | outages(), surroundings())
def test_at_most_one_member_bootstraps(world: list[Answer | None], around: Surroundings) -> None:
    decisions = [decide(view).action for view in views_of(world, around=around)]
    assert decisions.count(Action.BOOTSTRAP) <= 1


@given(worlds() | outages())
def test_who_bootstraps_holds_every_transaction(world: list[Answer | None]) -> None:
    for view in views_of(world):
        if decide(view).action is Action.BOOTSTRAP:
            assert view.own.answer
            assert all(view.own.answer.gtids >= said.gtids for said in world if said)


@given(worlds())
def test_nobody_joins_while_nobody_serves_or_with_transactions_that_no_serving_member_has(
    world: list[Answer | None],
) -> None:
    for view in views_of(world, TURN_SECONDS * 5):
        if decide(view).action is Action.JOIN:
            serving = [peer.answer for peer in view.peers if peer.answer and peer.answer.serves]
            assert serving
            assert view.own.answer
            unknown = view.own.answer.gtids
            for said in serving:
                unknown -= said.gtids
            assert not unknown


@given(worlds(), surroundings() | ORDERS | STOPS)
def test_every_decision_says_why(world: list[Answer | None], around: Surroundings) -> None:
    for view in views_of(world, around=around):
        decision = decide(view)
        assert len(decision.message) > 15
        if decision.action is Action.NOTHING:
            assert view.own.answer
            assert view.own.answer.serves


@given(outages())
def test_after_an_outage_someone_acts_or_everybody_calls_for_help(world: list[Answer | None]) -> None:
    actions = [decide(view).action for view in views_of(world)]
    assert actions.count(Action.BOOTSTRAP) == 1 or set(actions) == {Action.ALERT}


@given(worlds())
def test_once_expelled_a_member_beside_a_serving_peer_ends_up_joining_or_calling_for_help(
    world: list[Answer | None],
) -> None:
    for view in views_of(world, TURN_SECONDS * 5):
        own = view.own.answer
        serving = [peer.answer for peer in view.peers if peer.answer and peer.answer.serves]
        if own and own.state in {State.OFFLINE, State.ERROR} and serving:
            listed = any(entry.uuid == own.uuid for said in serving for entry in said.view)
            has_primary = any(said.role is Role.PRIMARY for said in serving)
            way_on = Action.JOIN if has_primary else Action.WAIT
            assert decide(view).action in ({Action.WAIT} if listed else {way_on, Action.ALERT})


@given(st.permutations(range(4)))
def test_members_with_equal_transactions_found_by_their_number(order: list[int]) -> None:
    world: list[Answer | None] = [offline(ordinal, "1-5") for ordinal in range(4)]
    assert [own for own in order if decide(views_of(world)[own]).action is Action.BOOTSTRAP] == [0]
