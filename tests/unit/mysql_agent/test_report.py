import json
from http import HTTPStatus

import pytest

from mysql_agent.cluster import ClusterView
from mysql_agent.decide import decide
from mysql_agent.report import Limits, Report, respond
from tests.unit.mysql_agent.views import answer, cluster, entry, in_group, in_kubernetes, offline

LIMITS = Limits(stale_seconds=10, live_seconds=60, max_replica_queue=100)
PRIMARY = cluster(0, in_group(0), None, None)
REPLICA = cluster(1, None, in_group(1), None)
LAGGING = cluster(1, None, in_group(1, applier_queue=100), None)
ALMOST_LAGGING = cluster(1, None, in_group(1, applier_queue=99), None)
OUTSIDE = cluster(0, offline(0), None, offline(2))
GONE = cluster(0, None, None, None)
HANDING_OVER = cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=0))
RELEASED = cluster(0, in_group(0, primary=1), None, None, surroundings=in_kubernetes(stopping_seconds=2))
FROZEN = cluster(0, in_group(0), answer(1, (entry(1), entry(2))), None)


def status(path: str, seen: ClusterView, age: float = 1) -> int:
    return respond(path, Report(seen, decide(seen), seen_at=100), 100 + age, LIMITS).status


@pytest.mark.parametrize(
    ("seen", "primary", "replica", "ready"),
    [
        (PRIMARY, 200, 503, 200),
        (REPLICA, 503, 200, 200),
        (LAGGING, 503, 503, 200),
        (ALMOST_LAGGING, 503, 200, 200),
        (OUTSIDE, 503, 503, 503),
        (GONE, 503, 503, 503),
        (FROZEN, 503, 503, 503),
        (HANDING_OVER, 200, 503, 503),
    ],
    ids=["primary", "replica", "lagging", "almost lagging", "outside", "gone", "frozen", "handing over"],
)
def test_each_path_answers_for_its_own_kind_of_client(
    seen: ClusterView, primary: int, replica: int, ready: int
) -> None:
    assert (status("/primary", seen), status("/replica", seen), status("/ready", seen)) == (
        primary,
        replica,
        ready,
    )


@pytest.mark.parametrize(
    ("seen", "primary", "replica"),
    [
        (PRIMARY, 200, 404),
        (REPLICA, 404, 200),
        (LAGGING, 404, 404),
        (OUTSIDE, 503, 503),
        (GONE, 503, 503),
        (FROZEN, 503, 503),
        (HANDING_OVER, 200, 404),
        (RELEASED, 404, 404),
    ],
    ids=["primary", "replica", "lagging", "outside", "gone", "frozen", "handing over", "released"],
)
def test_haproxy_is_told_apart_who_has_another_role_and_who_is_down(
    seen: ClusterView, primary: int, replica: int
) -> None:
    assert (status("/haproxy/primary", seen), status("/haproxy/replica", seen)) == (primary, replica)
    assert status("/haproxy/primary", seen, age=10.1) == 503


def test_an_old_observation_sends_no_client_here() -> None:
    assert status("/primary", PRIMARY, age=9.9) == HTTPStatus.OK
    assert status("/primary", PRIMARY, age=10.1) == HTTPStatus.SERVICE_UNAVAILABLE
    assert status("/replica", REPLICA, age=10.1) == HTTPStatus.SERVICE_UNAVAILABLE


@pytest.mark.parametrize(
    "seen", [PRIMARY, REPLICA, OUTSIDE, GONE], ids=["primary", "replica", "outside", "gone"]
)
def test_liveness_depends_on_the_loop_alone(seen: ClusterView) -> None:
    assert status("/live", seen, age=59) == HTTPStatus.OK
    assert status("/live", seen, age=61) == HTTPStatus.SERVICE_UNAVAILABLE


def test_nothing_is_claimed_before_the_first_observation() -> None:
    for path in ("/", "/primary", "/replica", "/ready", "/live"):
        assert respond(path, None, 0, LIMITS).status == HTTPStatus.SERVICE_UNAVAILABLE


def test_an_unknown_path_names_the_known_ones() -> None:
    response = respond("/master", Report(PRIMARY, decide(PRIMARY), 0), 0, LIMITS)
    assert response.status == HTTPStatus.NOT_FOUND
    assert "/primary" in response.body


def test_a_refusal_says_what_the_agent_waits_for() -> None:
    response = respond("/primary", Report(OUTSIDE, decide(OUTSIDE), 0), 0, LIMITS)
    assert "waiting for mysql-1 (timed out)" in response.body


def test_the_root_shows_observation_and_decision() -> None:
    response = respond("/", Report(OUTSIDE, decide(OUTSIDE), seen_at=5), 6.5, LIMITS)
    body = json.loads(response.body)
    assert response.content_type == "application/json"
    assert body["decision"]["reason"] == "peer_unreachable"
    assert body["age_seconds"] == 1.5
    assert [member["name"] for member in body["members"]] == ["mysql-0", "mysql-1", "mysql-2"]
    assert body["members"][0]["state"] == "OFFLINE"
    assert body["members"][1]["error"] == "timed out"
