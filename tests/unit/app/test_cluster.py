import json
from datetime import UTC, datetime

from app.cluster.repository import MISSING, Member, with_missing
from app.cluster.schemas import MemberStatus, MySQLStatus, QueueStatus, RedisStatus, WorkerStatus
from app.cluster.service import (
    mysql_problems,
    queue_problems,
    read_queue,
    read_worker,
    redis_problems,
    unknown_parts,
    unknown_problems,
    worker_problems,
)
from app.health import Answer
from app.tasks.queues import QueueState, published_at

ENTRY = json.dumps({"heartbeat": 1000.0, "concurrency": 2, "queues": ["default"], "running": []})


def member(address: str, role: str = "SECONDARY", state: str = "ONLINE") -> MemberStatus:
    return MemberStatus(address=address, state=state, role=role, lag_transactions=0)


def mysql(*members: MemberStatus) -> MySQLStatus:
    return MySQLStatus(up=True, members=list(members))


def worker(name: str, *, alive: bool) -> WorkerStatus:
    return WorkerStatus(
        name=name, alive=alive, heartbeat_age_seconds=0, concurrency=1, queues=["default"], running=[]
    )


def test_a_worker_is_alive_as_long_as_its_heartbeat_is_recent() -> None:
    assert read_worker("worker-1", ENTRY, now=1009.0).alive
    assert not read_worker("worker-1", ENTRY, now=1011.0).alive


def test_a_clock_behind_the_workers_makes_no_negative_age() -> None:
    assert read_worker("worker-1", ENTRY, now=990.0).heartbeat_age_seconds == 0


def test_the_age_of_a_message_is_counted_from_its_publication() -> None:
    def age(message: str | None) -> float | None:
        now = datetime.fromtimestamp(107.5, UTC)
        return read_queue("default", QueueState(1, published_at(message)), now).oldest_age_seconds

    assert age(json.dumps({"headers": {"enqueued_at": 100.0}})) == 7.5
    assert age(json.dumps({"headers": {}})) is None
    assert age(None) is None


def test_silent_workers_are_named() -> None:
    problems = worker_problems([worker("worker-1", alive=True), worker("worker-2", alive=False)])
    assert problems == ["worker-2 has been silent for 0 s"]


def test_the_loss_of_every_worker_is_said_with_its_consequence() -> None:
    assert worker_problems([]) == ["no worker is known to be alive: tasks are accepted and wait"]


def test_a_lost_redis_is_said_with_its_consequence() -> None:
    down = RedisStatus(up=False, round_trip_ms=None, error="ConnectionError: refused")
    assert redis_problems(down) == ["Redis is down: tasks are accepted and wait (ConnectionError: refused)"]
    assert redis_problems(RedisStatus(up=True, round_trip_ms=0.2)) == []


def test_a_whole_group_has_no_problems() -> None:
    assert mysql_problems(mysql(member("a", "PRIMARY"), member("b"), member("c")), 3) == []


def test_a_missing_member_shows_although_the_group_has_forgotten_it() -> None:
    assert mysql_problems(mysql(member("a", "PRIMARY"), member("b")), 3) == [
        "2 of 3 MySQL members are online"
    ]


def test_a_group_without_primary_is_said_with_its_consequence() -> None:
    problems = mysql_problems(mysql(member("a", "PRIMARY", "UNREACHABLE"), member("b")), 0)
    assert problems == ["a is UNREACHABLE", "MySQL has no primary: tasks cannot be accepted"]


def test_a_server_without_a_group_is_no_problem() -> None:
    assert mysql_problems(mysql(), 0) == []


def test_an_unreadable_database_is_said_with_its_reason() -> None:
    down = MySQLStatus(up=False, members=[], error="no answer within 0.8 s")
    assert mysql_problems(down, 3) == ["MySQL cannot be read (no answer within 0.8 s)"]


def seen(*addresses: str) -> list[Member]:
    return [Member(address, "ONLINE", "SECONDARY", 0) for address in addresses]


def test_a_member_that_the_group_has_forgotten_is_named_by_what_servers_were_told() -> None:
    members = with_missing(seen("a:3306", "c:3306"), ["a:3306", "b:3306", "c:3306"])
    assert [(one.address, one.state) for one in members if one.state != "ONLINE"] == [("b:3306", MISSING)]
    assert (
        mysql_problems(MySQLStatus(up=True, members=[MemberStatus.model_validate(m) for m in members]), 0)[0]
        == "b:3306 is lost: it is not in the group"
    )


def test_nothing_is_missed_where_the_group_talks_on_other_addresses() -> None:
    assert with_missing(seen("a:3306"), ["a:33061", "b:33061"]) == seen("a:3306")


def test_nothing_is_missed_where_there_is_no_group() -> None:
    assert with_missing([], ["a:3306"]) == []


def test_a_queue_that_nobody_takes_from_is_named() -> None:
    queues = [
        QueueStatus(name="default", depth=3, oldest_age_seconds=1),
        QueueStatus(name="mail", depth=12, oldest_age_seconds=1),
        QueueStatus(name="empty", depth=0, oldest_age_seconds=None),
    ]
    assert queue_problems(queues, [worker("worker-1", alive=True)]) == [
        "no worker takes from the queue mail, in which 12 wait"
    ]


def test_without_any_worker_the_queues_are_not_named_one_by_one() -> None:
    queues = [QueueStatus(name="default", depth=3, oldest_age_seconds=1)]
    assert queue_problems(queues, [worker("worker-1", alive=False)]) == []


def test_what_could_not_be_found_out_is_no_silence() -> None:
    unknown = unknown_parts({"workers": Answer(error="KeyError: 'heartbeat'"), "redis": Answer(value=True)})
    assert unknown == {"workers": "KeyError: 'heartbeat'"}
    assert unknown_problems(unknown) == ["the workers are not known (KeyError: 'heartbeat')"]
