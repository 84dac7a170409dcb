from collections.abc import Callable
from threading import Event

import pymysql
import pytest

from mysql_agent.address import Address, Member
from mysql_agent.cluster import Answer, ClusterView, Role, State
from mysql_agent.connect import Row
from mysql_agent.observe import Observer, answer_from
from tests.unit.mysql_agent.views import GROUP, in_group, offline, uuid

MEMBERS = tuple(Member(f"mysql-{ordinal}", Address("db", 3306 + ordinal)) for ordinal in range(3))


def refuse() -> Answer:
    raise pymysql.OperationalError(2003, "refused")


def observe(*asks: Callable[[], Answer], deadline: float = 5) -> ClusterView:
    by_member = dict(zip(MEMBERS, asks, strict=True))
    observer = Observer(MEMBERS[0], lambda: MEMBERS[1:], lambda member: by_member[member](), deadline)
    try:
        return observer.observe()
    finally:
        observer.close()


def test_a_member_outside_asks_its_peers() -> None:
    seen = observe(lambda: offline(0), lambda: offline(1, "1-5"), refuse)
    assert seen.peers[0].answer == offline(1, "1-5")
    assert seen.peers[1].answer is None
    assert seen.peers[1].error == "refused [2003]"


def test_a_primary_asks_its_peers_too() -> None:
    assert observe(lambda: in_group(0), lambda: in_group(1), refuse).peers[0].answer == in_group(1)


@pytest.mark.parametrize("own", [lambda: in_group(0, primary=1), refuse], ids=["secondary", "unreachable"])
def test_nobody_else_asks(own: Callable[[], Answer]) -> None:
    def unexpected() -> Answer:
        pytest.fail("a peer was asked")

    seen = observe(own, unexpected, unexpected)
    assert [peer.error for peer in seen.peers] == ["not asked", "not asked"]


def test_a_peer_that_hangs_does_not_hold_up_the_look_at_the_others() -> None:
    release = Event()

    def hang() -> Answer:
        release.wait(10)
        return offline(1)

    try:
        seen = observe(lambda: offline(0), hang, lambda: offline(2), deadline=0.3)
    finally:
        release.set()
    assert seen.peers[0].error == "no answer within 0.3 s"
    assert seen.peers[1].answer == offline(2)


def test_an_answer_that_makes_no_sense_counts_as_none() -> None:
    def nonsense() -> Answer:
        raise ValueError("'SLEEPING' is not a valid State")

    assert "SLEEPING" in observe(lambda: offline(0), nonsense, refuse).peers[0].error


def test_how_long_a_group_has_been_seen_starts_anew_when_it_is_gone() -> None:
    peer = [in_group(1), in_group(1), offline(1), in_group(1)]
    asks: dict[str, Callable[[], Answer]] = {
        "mysql-0": lambda: offline(0),
        "mysql-1": lambda: peer.pop(0),
        "mysql-2": refuse,
    }
    observer = Observer(MEMBERS[0], lambda: MEMBERS[1:], lambda member: asks[member.name](), 5)
    first, second, gone, again = (observer.observe().group_seen_seconds for _ in range(4))
    observer.close()
    assert 0 <= first < second
    assert gone == 0
    assert again < second


STATUS: Row = {
    "uuid": uuid(0),
    "executed": "",
    "received": None,
    "applier_queue": None,
    "lag_microseconds": None,
    "bootstrap_flag": None,
    "uptime": "17",
    "host": "db",
    "port": 3306,
}


def test_a_fresh_server_reads_as_offline_and_empty() -> None:
    said = answer_from(STATUS, [])
    assert (said.state, said.role, bool(said.gtids), said.applier_queue) == (
        State.OFFLINE,
        Role.NONE,
        False,
        0,
    )
    assert not said.bootstrap_flag


def test_received_transactions_count_as_held() -> None:
    status = STATUS | {
        "executed": f"{GROUP}:1-5",
        "received": f"{GROUP}:4-9",
        "applier_queue": 4,
        "lag_microseconds": 1_500_000,
        "bootstrap_flag": "ON",
    }
    row = {"uuid": uuid(0), "host": "db", "port": 3306, "state": "ONLINE", "role": "PRIMARY"}
    said = answer_from(status, [row])
    assert str(said.gtids) == f"{GROUP}:1-9"
    assert said.lag_seconds == 1.5
    assert said.serves
    assert said.bootstrap_flag
    assert said.address == said.view[0].address == "db:3306"
