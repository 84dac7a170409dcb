"""The Lease as a lock, over a fake API, with a clock that the test moves."""

from contextlib import ExitStack
from http import HTTPStatus
from threading import Event

import pytest

from kubernetes_api.client import ApiError
from mysql_agent import lease as module
from mysql_agent.kubernetes import Kubernetes
from mysql_agent.lease import SAFE_SECONDS, TERM_SECONDS, LeaseLock
from tests.unit.kubernetes_api.fake_api import FakeApi

PATH = "/apis/coordination.k8s.io/v1/namespaces/shop/leases/conveyor-mysql"
POD = "/api/v1/namespaces/shop/pods/conveyor-mysql-0"
OWNER = {"apiVersion": "apps/v1", "kind": "StatefulSet", "name": "conveyor-mysql", "uid": "u-1"}


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def api() -> FakeApi:
    api = FakeApi()
    api.put(POD, {"metadata": {"name": "conveyor-mysql-0", "ownerReferences": [OWNER]}})
    return api


@pytest.fixture
def clock() -> Clock:
    return Clock()


def lock(api: FakeApi, clock: Clock, identity: str = "conveyor-mysql-0_a") -> LeaseLock:
    return LeaseLock(Kubernetes(api, "shop", "conveyor-mysql", "conveyor-mysql-0"), identity, clock)


def holder(api: FakeApi) -> str:
    return str(api.documents[PATH]["spec"]["holderIdentity"])


def test_it_is_taken_kept_and_given_back(api: FakeApi, clock: Clock) -> None:
    with lock(api, clock).attempt() as hold:
        assert (hold.obstacle, hold.is_safe()) == ("", True)
        assert holder(api) == "conveyor-mysql-0_a"
        assert api.documents[PATH]["spec"]["leaseDurationSeconds"] == TERM_SECONDS
    assert holder(api) == ""
    with lock(api, clock, "conveyor-mysql-1_b").attempt() as hold:
        assert hold.is_safe()
        assert api.documents[PATH]["spec"]["leaseTransitions"] == 2


def test_it_goes_with_the_statefulset_of_the_pod(api: FakeApi, clock: Clock) -> None:
    with lock(api, clock).attempt():
        pass
    assert api.documents[PATH]["metadata"]["ownerReferences"] == [{**OWNER, "blockOwnerDeletion": False}]


def test_what_others_wrote_into_it_stays(api: FakeApi, clock: Clock) -> None:
    api.put(PATH, {"metadata": {"name": "conveyor-mysql", "annotations": {"theirs": "kept"}}, "spec": {}})
    with lock(api, clock).attempt() as hold:
        assert hold.is_safe()
    assert api.documents[PATH]["metadata"]["annotations"]["theirs"] == "kept"


def test_only_one_of_two_holds_it(api: FakeApi, clock: Clock) -> None:
    with ExitStack() as both:
        first = both.enter_context(lock(api, clock, "conveyor-mysql-0_a").attempt())
        second = both.enter_context(lock(api, clock, "conveyor-mysql-1_b").attempt())
        assert first.is_safe()
        assert second.obstacle == "conveyor-mysql-0_a holds the Lease"
        assert not second.is_safe()
    assert holder(api) == ""


def test_of_two_that_read_it_at_once_the_second_to_write_is_refused(api: FakeApi, clock: Clock) -> None:
    with lock(api, clock).attempt():
        pass
    api.fail("PUT", "leases", ApiError("has been modified", HTTPStatus.CONFLICT))
    with lock(api, clock, "conveyor-mysql-1_b").attempt() as hold:
        assert "has been modified" in hold.obstacle


def test_a_dead_holder_is_followed_when_its_term_was_seen_to_run_out(api: FakeApi, clock: Clock) -> None:
    dead = lock(api, clock, "conveyor-mysql-0_dead")
    dead._take()
    heir = lock(api, clock, "conveyor-mysql-1_b")
    clock.now += 10 * TERM_SECONDS  # however old it is: what counts is how long the heir has seen it
    for seconds, expected in ((0, "holds the Lease"), (TERM_SECONDS, "holds the Lease"), (1, "")):
        clock.now += seconds
        with heir.attempt() as hold:
            assert expected in hold.obstacle
    assert hold.obstacle == ""


def test_a_holder_that_renews_is_never_followed(api: FakeApi, clock: Clock) -> None:
    alive, heir = lock(api, clock, "conveyor-mysql-0_a"), lock(api, clock, "conveyor-mysql-1_b")
    alive._take()
    for _ in range(5):
        clock.now += TERM_SECONDS * 0.9
        assert alive._write_own("conveyor-mysql-0_a")
        with heir.attempt() as hold:
            assert hold.obstacle


def test_after_half_of_the_term_it_is_too_late_to_begin(api: FakeApi, clock: Clock) -> None:
    with lock(api, clock).attempt() as hold:
        clock.now += SAFE_SECONDS - 1
        assert hold.is_safe()
        clock.now += 1
        assert not hold.is_safe()


def test_renewing_makes_it_safe_again_and_goes_on_until_it_is_given_back(
    api: FakeApi, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RENEWAL_SECONDS", 0.01)
    renewals = 0

    class Moving(FakeApi):
        def _store(self, path: str, body: dict[str, object]) -> dict[str, object]:
            nonlocal renewals
            renewals += path == PATH
            if renewals == 3:
                enough.set()
            return super()._store(path, body)

    enough = Event()
    moving = Moving()
    moving.put(POD, api.documents[POD])
    with lock(moving, clock).attempt() as hold:
        clock.now += SAFE_SECONDS
        assert enough.wait(10)
        assert hold.is_safe()
    assert holder(moving) == ""


@pytest.mark.parametrize("status", [None, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.FORBIDDEN])
@pytest.mark.parametrize("method", ["GET", "PUT"])
def test_without_an_answer_it_is_not_held(
    api: FakeApi, clock: Clock, method: str, status: int | None
) -> None:
    with lock(api, clock).attempt():
        pass
    api.fail(method, "leases", ApiError("etcd is away", status))
    with lock(api, clock).attempt() as hold:
        assert "etcd is away" in hold.obstacle
        assert not hold.is_safe()


def test_an_attempt_whose_answer_was_lost_does_not_lock_its_own_agent_out(api: FakeApi, clock: Clock) -> None:
    own = lock(api, clock)
    own._take()  # it was written, but suppose that nobody heard of it
    with own.attempt() as hold:
        assert hold.is_safe()


def test_a_lease_that_cannot_be_given_back_runs_out_by_itself(api: FakeApi, clock: Clock) -> None:
    with lock(api, clock).attempt():
        api.down = True
    api.down = False
    assert holder(api) == "conveyor-mysql-0_a"
