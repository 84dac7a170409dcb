"""The stations say in words what is wrong."""

from app.cluster.schemas import (
    ClusterStatus,
    MemberStatus,
    MySQLStatus,
    QueueStatus,
    RedisStatus,
    RunningTask,
    WorkerStatus,
)
from app.dashboard.replicas import SeenReplica
from app.dashboard.stations import Station, mysql_station, stations, worker_activity, workers_station


def worker(*, alive: bool = True, running: int = 0) -> WorkerStatus:
    tasks = [RunningTask(task_id="1", name="create_product_from_user", seconds=3.2)] * running
    return WorkerStatus(
        name="worker-1",
        alive=alive,
        heartbeat_age_seconds=14,
        concurrency=2,
        queues=["default"],
        running=tasks,
    )


def member(role: str, state: str = "ONLINE", lag: int = 0) -> MemberStatus:
    return MemberStatus(address=f"{role.lower()}:3306", state=state, role=role, lag_transactions=lag)


def mysql(*members: MemberStatus, expected: int = 3) -> Station:
    return mysql_station(MySQLStatus(up=True, members=list(members)), expected)


def cluster(*, redis_up: bool = True, depth: int = 0, oldest: float | None = None) -> ClusterStatus:
    return ClusterStatus(
        status="ok",
        problems=[],
        workers=[worker()],
        queues=[QueueStatus(name="default", depth=depth, oldest_age_seconds=oldest)],
        redis=RedisStatus(up=redis_up, round_trip_ms=0.41 if redis_up else None),
        mysql=MySQLStatus(up=True, members=[]),
        unknown={},
    )


def notes(station: Station) -> list[str]:
    return [f"{line.name}: {line.note}" for line in station.lines]


def test_the_stations_stand_in_the_order_in_which_a_task_passes_them() -> None:
    path = stations(cluster(), [SeenReplica("api-1", answered_now=True)], 0)
    assert [station.title for station in path] == ["API", "Queue", "Workers", "MySQL"]
    assert {station.word for station in path} == {"Working"}
    assert notes(path[0]) == ["api-1: served this page"]


def test_the_queue_tells_how_many_wait_and_for_how_long() -> None:
    queue = stations(cluster(depth=3, oldest=12.3), [], 0)[1]
    assert queue.headline == "3 waiting"
    assert notes(queue) == ["default: 3, oldest 12 s", "Redis: answers in 0.4 ms"]


def test_without_redis_tasks_wait_in_the_ledger() -> None:
    queue = stations(cluster(redis_up=False), [], 0)[1]
    assert (queue.word, notes(queue)) == ("Down", ["Redis: tasks wait in the ledger"])


def test_some_silent_workers_degrade_and_only_silent_ones_are_down() -> None:
    assert workers_station([worker(), worker(alive=False)]).word == "Degraded"
    assert workers_station([worker(alive=False)]).word == "Down"
    assert workers_station([]).headline == "0 of 0 alive"


def test_a_worker_tells_what_it_is_doing() -> None:
    assert worker_activity(worker()) == "idle"
    assert worker_activity(worker(running=1)) == "Create product from user, 3.2 s"
    assert worker_activity(worker(running=3)) == "Create product from user, 3.2 s and 2 more"
    assert worker_activity(worker(alive=False)) == "silent for 14 s"


def test_replicas_are_shown_with_their_lag() -> None:
    station = mysql(member("PRIMARY"), member("SECONDARY", lag=4), member("SECONDARY"))
    assert (station.word, station.headline) == ("Working", "3 of 3 online")
    assert notes(station)[1] == "secondary:3306: replica, lag 4"


def test_a_member_that_has_left_the_list_is_missed() -> None:
    station = mysql(member("PRIMARY"), member("SECONDARY"))
    assert (station.word, station.headline) == ("Degraded", "2 of 3 online")


def test_a_recovering_member_degrades() -> None:
    station = mysql(member("PRIMARY"), member("SECONDARY", "RECOVERING"), member("SECONDARY"))
    assert station.word == "Degraded"
    assert notes(station)[1] == "secondary:3306: recovering"


def test_without_a_primary_the_database_is_down() -> None:
    station = mysql(member("SECONDARY"), member("SECONDARY"), member("SECONDARY", "UNREACHABLE"))
    assert (station.word, station.headline) == ("Down", "no primary")


def test_a_single_server_without_a_group_is_well() -> None:
    assert mysql(expected=0).headline == "one server"


def test_an_unreachable_database_is_down() -> None:
    assert mysql_station(MySQLStatus(up=False, members=[], error="refused"), 3).word == "Down"


def test_a_member_with_a_long_name_is_shown_by_the_first_part_of_it() -> None:
    addresses = ("mysql-0.mysql.tasks.svc.cluster.local:3306", "127.0.0.1:18101", "mysql-2:3306")
    members = [
        MemberStatus(address=one, state="ONLINE", role="SECONDARY", lag_transactions=0) for one in addresses
    ]
    assert [line.name for line in mysql(*members).lines] == ["mysql-0", "127.0.0.1:18101", "mysql-2:3306"]
