"""What the agent does with Kubernetes, over a fake API that keeps pods, the Lease and Events."""

from http import HTTPStatus
from typing import Any

import pytest
from prometheus_client import CollectorRegistry

from kubernetes_api.client import ApiError
from mysql_agent.cluster import ClusterView, Role, Surroundings
from mysql_agent.companion import Companion, Rhythm
from mysql_agent.decide import decide
from mysql_agent.events import Announcer
from mysql_agent.kubernetes import KNOWN_MEMBERS, OVERRIDE, ROLE_LABEL, Kubernetes
from mysql_agent.metrics import KubernetesMetrics
from mysql_agent.report import Report
from mysql_agent.upkeep import STALE_SECONDS, Upkeep
from tests.unit.kubernetes_api.fake_api import FakeApi
from tests.unit.mysql_agent.views import alone, answer, cluster, entry, in_group, in_kubernetes, offline, uuid

CORE = "/api/v1/namespaces/shop"
LEASE = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/conveyor-mysql"
UNRELATED = {"app.kubernetes.io/name": "conveyor"}
PRIMARY = cluster(0, in_group(0), in_group(1), in_group(2))
FOUNDING = cluster(0, offline(0), offline(1), offline(2))
DIVERGED = cluster(0, offline(0, "1-5:7"), offline(1, "1-6"), offline(2))


class Cluster:
    """Three pods, and the companion of one of their agents."""

    def __init__(self, own: int = 0) -> None:
        self.api = FakeApi()
        for ordinal in range(3):
            self.add_pod(ordinal)
        self.registry = CollectorRegistry()
        self.now = 100.0
        kubernetes = Kubernetes(self.api, "shop", "conveyor-mysql", f"mysql-{own}")
        announcer = Announcer(lambda: self.now)
        self.upkeep = Upkeep(
            kubernetes,
            kubernetes,
            f"mysql-{own}",
            announcer=announcer,
            metrics=KubernetesMetrics(self.registry),
            clock=lambda: self.now,
        )
        self.companion = Companion(self.upkeep, announcer, Rhythm())

    def add_pod(self, ordinal: int, role: str | None = None, **metadata: object) -> None:
        labels = UNRELATED | ({ROLE_LABEL: role} if role else {})
        path = f"{CORE}/pods/mysql-{ordinal}"
        self.api.put(
            path, {"metadata": {"name": f"mysql-{ordinal}", "uid": "u", "labels": labels, **metadata}}
        )

    def see(self, seen: ClusterView) -> None:
        report = Report(seen, decide(seen), self.now)
        self.companion.saw(report)
        self.upkeep.look_after(report)

    def roles(self) -> list[str | None]:
        return [self.metadata(ordinal)["labels"].get(ROLE_LABEL) for ordinal in range(3)]

    def metadata(self, ordinal: int) -> dict[str, Any]:
        return dict(self.api.documents[f"{CORE}/pods/mysql-{ordinal}"]["metadata"])

    def events(self) -> list[dict[str, Any]]:
        return [document for path, document in self.api.documents.items() if "/events/" in path]

    def writes(self) -> list[str]:
        return [f"{method} {path}" for method, path in self.api.requests if method != "GET"]

    def metric(self, name: str) -> float | None:
        return self.registry.get_sample_value(name)


@pytest.fixture
def at() -> Cluster:
    return Cluster()


def test_the_primary_labels_all_and_then_writes_nothing_more(at: Cluster) -> None:
    at.see(PRIMARY)
    assert at.roles() == ["primary", "replica", "replica"]
    assert at.metadata(1)["labels"].items() >= UNRELATED.items()
    written = at.writes()
    at.see(PRIMARY)
    assert at.writes() == written
    assert at.metric("mysql_agent_kubernetes_up") == 1


def test_a_new_primary_takes_the_label_from_a_pod_whose_node_died(at: Cluster) -> None:
    at.add_pod(1, role="primary")
    view = (entry(0, role=Role.PRIMARY), entry(2))
    at.see(cluster(0, answer(0, view), None, in_group(2)))
    assert at.roles() == ["primary", None, "replica"]


def test_a_pod_that_is_being_deleted_is_no_replica(at: Cluster) -> None:
    at.add_pod(1, role="replica", deletionTimestamp="2026-01-01T00:00:00Z")
    at.see(PRIMARY)
    assert at.roles() == ["primary", None, "replica"]


def test_a_pod_that_is_missing_does_not_keep_the_others_from_their_labels(at: Cluster) -> None:
    del at.api.documents[f"{CORE}/pods/mysql-1"]
    at.see(PRIMARY)
    assert at.metadata(2)["labels"][ROLE_LABEL] == "replica"


def test_a_replica_never_overwrites_what_the_primary_wrote() -> None:
    at = Cluster(own=1)
    at.add_pod(1, role="replica")
    at.see(cluster(1, None, in_group(1), None))
    assert at.roles()[1] == "replica"
    at.add_pod(1, role="primary")
    at.see(cluster(1, None, in_group(1), None))
    assert at.roles()[1] is None


def test_a_pod_that_somebody_changed_meanwhile_is_left_for_the_next_look(at: Cluster) -> None:
    at.api.fail("PATCH", "mysql-0", ApiError("has been modified", HTTPStatus.CONFLICT))
    at.see(PRIMARY)
    assert at.roles() == [None, "replica", "replica"]
    assert at.metric("mysql_agent_kubernetes_conflicts_total") == 1
    assert at.metric("mysql_agent_kubernetes_errors_total") == 0
    at.see(PRIMARY)
    assert at.roles()[0] == "primary"


def test_a_deed_is_announced_without_writing_what_was_true_before_it() -> None:
    at = Cluster()
    at.see(PRIMARY)
    stopping = cluster(0, in_group(0), None, None, surroundings=in_kubernetes(stopping_seconds=0))
    report = Report(stopping, decide(stopping), at.now)
    at.companion.saw(report)
    at.add_pod(1, role="primary")  # the successor was quicker than the answer to the switchover
    at.companion.did("switched_over", "handed over")
    at.upkeep.look_after(report)
    assert at.roles()[1] == "primary"
    assert at.events()


def test_what_was_seen_long_ago_is_no_ground_for_a_label(at: Cluster) -> None:
    report = Report(PRIMARY, decide(PRIMARY), at.now)
    at.now += STALE_SECONDS + 1
    at.upkeep.look_after(report)
    assert at.roles() == [None, None, None]


def test_while_the_api_is_down_labels_stay_and_nobody_may_found(at: Cluster) -> None:
    at.see(PRIMARY)
    at.api.down = True
    requests = len(at.api.requests)
    at.see(cluster(0, alone(0), None, None))
    assert at.roles() == ["primary", "replica", "replica"]
    assert len(at.api.requests) == requests + 1, "one request that times out is enough"
    assert at.metric("mysql_agent_kubernetes_up") == 0
    assert at.companion.facts.known_uuids is None
    assert "timed out" in at.companion.facts.unknown_because
    at.api.down = False
    at.see(PRIMARY)
    assert at.companion.facts.known_uuids is not None
    assert at.metric("mysql_agent_kubernetes_up") == 1


def test_before_the_api_was_asked_nothing_is_known(at: Cluster) -> None:
    assert at.companion.facts.known_uuids is None


def test_a_role_that_is_missing_stops_what_it_is_for_and_nothing_else(at: Cluster) -> None:
    at.api.fail("PATCH", "mysql-0", ApiError("pods is forbidden", HTTPStatus.FORBIDDEN))
    at.see(PRIMARY)
    assert at.companion.facts.known_uuids is not None
    assert at.metric("mysql_agent_kubernetes_up") == 0, "somebody must be told"
    assert at.metric("mysql_agent_kubernetes_errors_total") == 1


def test_the_disks_of_the_group_are_remembered_on_the_lease(at: Cluster) -> None:
    at.see(PRIMARY)
    at.see(PRIMARY)
    expected = ",".join(map(uuid, range(3)))
    assert at.api.documents[LEASE]["metadata"]["annotations"] == {KNOWN_MEMBERS: expected}
    assert at.companion.facts.known_uuids == frozenset(map(uuid, range(3)))
    assert sum("leases" in write for write in at.writes()) == 1


def test_an_order_to_found_is_seen_and_taken_away_once_the_group_is_there(at: Cluster) -> None:
    at.add_pod(0, annotations={OVERRIDE: "true", "theirs": "kept"})
    at.see(FOUNDING)
    assert at.companion.facts.forced
    at.see(PRIMARY)
    assert at.metadata(0)["annotations"] == {"theirs": "kept"}
    at.see(PRIMARY)
    assert not at.companion.facts.forced


@pytest.mark.parametrize("order", ["false", "mysql-0", ""])
def test_anything_but_true_is_no_order(at: Cluster, order: str) -> None:
    at.add_pod(0, annotations={OVERRIDE: order})
    at.see(FOUNDING)
    assert not at.companion.facts.forced


def test_a_call_for_help_is_an_event_on_the_pod(at: Cluster) -> None:
    at.see(DIVERGED)
    (event,) = at.events()
    assert (event["type"], event["reason"]) == ("Warning", "Diverged")
    assert event["involvedObject"]["name"] == "mysql-0"
    assert "mysql-0 lacks" in event["message"]
    at.see(DIVERGED)
    assert len(at.events()) == 1


def test_an_event_that_could_not_be_sent_is_sent_later(at: Cluster) -> None:
    at.api.down = True
    at.see(DIVERGED)
    at.api.down = False
    at.see(DIVERGED)
    assert len(at.events()) == 1


def test_an_event_that_is_refused_is_given_up(at: Cluster) -> None:
    at.api.fail("POST", "events", ApiError("events is forbidden", HTTPStatus.FORBIDDEN))
    at.see(DIVERGED)
    at.see(DIVERGED)
    assert at.events() == []
    assert sum("events" in write for write in at.writes()) == 1


def test_deeds_are_events(at: Cluster) -> None:
    at.companion.did("switched_over", "mysql-1 is the primary now")
    at.see(PRIMARY)
    assert [event["reason"] for event in at.events()] == ["SwitchedOver"]


def test_its_thread_survives_an_answer_that_makes_no_sense_and_does_what_it_is_told(at: Cluster) -> None:
    at.api.documents[f"{CORE}/pods/mysql-0"] = {}
    stopping = cluster(0, in_group(0, primary=1), surroundings=in_kubernetes(stopping_seconds=0))
    at.companion.start()
    at.companion.saw(Report(PRIMARY, decide(PRIMARY), at.now))
    at.companion.settle(10)
    assert "KeyError" in at.companion.facts.unknown_because
    at.add_pod(0, role="primary")
    at.companion.saw(Report(stopping, decide(stopping), at.now))
    at.companion.settle(10)
    assert at.roles()[0] is None
    at.companion.close()
    at.companion._thread.join(10)
    assert not at.companion._thread.is_alive()


def test_settling_waits_no_longer_than_it_is_told(at: Cluster) -> None:
    at.companion.saw(Report(PRIMARY, decide(PRIMARY), at.now))  # and nobody looks after it
    at.companion.settle(0.05)
    assert at.roles() == [None, None, None]


def test_what_it_knows_decides_over_founding(at: Cluster) -> None:
    at.see(FOUNDING)
    known = Surroundings(known_uuids=at.companion.facts.known_uuids)
    assert decide(cluster(0, offline(0), offline(1), offline(2), surroundings=known)).action == "bootstrap"
