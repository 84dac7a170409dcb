"""The API while parts of the system are lost."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx2 as httpx
from redis import Redis

from stack.supervisor import Stack
from tests.stack.api_client import end_of, new_user, products_of
from tests.stack.members import held_back, replicas
from tests.stack.parts import held_down
from tests.stack.waiting import wait_until
from tests.stack.worker.processes import OwnProcess, free_port

WORKERS = ("worker-1", "worker-2")


def primary(api: httpx.Client, stack: Stack) -> str:
    """Return the name of the part that is the primary."""
    members = api.get("/api/worker/status").json()["mysql"]["members"]
    port = next(int(one["address"].rpartition(":")[2]) for one in members if one["role"] == "PRIMARY")
    return next(name for name, its_port in stack.ports.items() if its_port == port)


def test_without_redis_tasks_are_accepted_and_done_later(
    api: httpx.Client, stack: Stack, user_id: int
) -> None:
    with held_down(stack, "redis"):
        answers = [api.post(f"/api/users/{user_id}/create-product") for _ in range(5)]
        assert [answer.status_code for answer in answers] == [202] * 5
        assert max(answer.elapsed.total_seconds() for answer in answers) < 3
        started = time.monotonic()
        status = api.get("/api/worker/status")
        assert time.monotonic() - started < 2
        assert (status.status_code, status.json()["status"]) == (200, "degraded")
        assert not status.json()["redis"]["up"]
        assert any(problem.startswith("Redis is down") for problem in status.json()["problems"])
    for answer in answers:
        assert end_of(api, answer.headers["Location"], 60)["status"] == "succeeded"
    assert len(products_of(api, user_id)) == 5


def test_a_flushed_redis_loses_no_task(api: httpx.Client, stack: Stack, user_id: int) -> None:
    with held_down(stack, *WORKERS):
        locations = [api.post(f"/api/users/{user_id}/create-product").headers["Location"] for _ in range(20)]

        def queued() -> bool:
            return bool(api.get("/api/worker/status").json()["queues"][0]["depth"] >= 20)

        wait_until(queued, "20 messages are in the queue")
        env = stack.env_for("relay-1")
        with Redis(port=stack.ports["redis"], password=env["REDIS_PASSWORD"], socket_timeout=5) as redis:
            redis.flushall()
    ends = [end_of(api, location, 90) for location in locations]
    assert {end["status"] for end in ends} == {"succeeded"}
    assert len(products_of(api, user_id)) == 20


def test_a_stopped_replica_is_passed_over(api: httpx.Client, stack: Stack, user_id: int) -> None:
    replica = next(name for name in ("mysql-0", "mysql-1", "mysql-2") if name != primary(api, stack))
    with held_down(stack, replica):
        answers = [api.get(f"/api/users/{user_id}") for _ in _until(time.monotonic() + 3)]
        assert {answer.status_code for answer in answers} == {200}

        def degraded() -> bool:
            problems = api.get("/api/worker/status").json()["problems"]
            return "2 of 3 MySQL members are online" in problems

        wait_until(degraded, "the status says that a member is missing")


def test_a_client_reads_its_own_write_although_the_replicas_are_behind(
    api: httpx.Client, stack: Stack
) -> None:
    with held_back(stack, replicas(stack), "users"):
        user_id = new_user(api)
        own = api.get("/api/users", params={"after": user_id - 1})
        others = httpx.get(f"{stack.url}/api/users", params={"after": user_id - 1})
    assert own.headers["X-Database-Role"] == "primary"
    assert [user["id"] for user in own.json()["items"]] == [user_id]
    assert others.headers["X-Database-Role"] == "replica"
    assert others.json()["items"] == []


def test_a_replica_that_catches_up_in_time_serves_the_client(api: httpx.Client) -> None:
    user_id = new_user(api)
    answer = api.get("/api/users", params={"after": user_id - 1})
    assert answer.headers["X-Database-Role"] == "replica"
    assert [user["id"] for user in answer.json()["items"]] == [user_id]


def test_a_cancelled_task_is_never_done(api: httpx.Client, stack: Stack, user_id: int) -> None:
    with held_down(stack, *WORKERS):
        location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
        assert api.delete(location).json()["status"] == "cancelled"
        assert api.delete(location).status_code == 200, "repeating it is no error"
    stack.wait_ready("worker-1")
    later = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
    end_of(api, later)
    assert api.get(location).json()["status"] == "cancelled"
    assert len(products_of(api, user_id)) == 1


def test_a_failed_task_can_be_replayed(api: httpx.Client) -> None:
    submission = {"name": "create_product_from_user", "payload": {"user_id": 999_999_999}}
    location = api.post("/api/tasks", json=submission).headers["Location"]
    failed = end_of(api, location)
    assert failed["status"] == "failed"
    assert "999999999" in failed["error"]
    replayed = api.post(f"{location}/replay")
    assert (replayed.status_code, replayed.headers["Location"]) == (202, location)
    again = end_of(api, location)
    assert (again["status"], again["attempts"]) == ("failed", 1)
    assert again["finished_at"] > failed["finished_at"]


def test_killed_workers_are_named_and_their_tasks_wait(api: httpx.Client, stack: Stack, user_id: int) -> None:
    with held_down(stack, *WORKERS):

        def all_silent() -> bool:
            return "no worker is known to be alive" in str(api.get("/api/worker/status").json()["problems"])

        wait_until(all_silent, "the status says that no worker is alive")
        location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
        assert api.get(location).json()["status"] == "queued"
    assert end_of(api, location)["status"] == "succeeded"


def test_replicas_of_the_api_that_restart_fail_no_request(stack: Stack) -> None:
    stopped = threading.Event()
    statuses: list[int] = []

    def load() -> None:
        with httpx.Client(base_url=stack.url, timeout=20) as client:
            while not stopped.is_set():
                statuses.append(client.get("/api/users").status_code)
                statuses.append(client.post("/api/worker/test").status_code)

    with ThreadPoolExecutor() as threads:
        clients = [threads.submit(load) for _ in range(3)]
        try:
            for name in ("api-1", "api-2", "api-3"):
                stack.restart(name)
        finally:
            stopped.set()
        for client in clients:
            client.result(30)
    assert set(statuses) == {200, 202}
    assert len(statuses) > 20


def test_a_replica_that_ends_says_so_and_still_answers(stack: Stack, tmp_path: Path) -> None:
    port = free_port()
    environment = {**stack.env_for("api-1"), "API_PORT": str(port), "API_DRAIN_SECONDS": "3"}
    with (
        OwnProcess("app", environment, tmp_path) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client,
    ):
        wait_until(lambda: status_of(client, "/readyz") == 200, "the replica is ready")
        with ThreadPoolExecutor() as threads:
            ended = threads.submit(process.terminate)
            wait_until(lambda: status_of(client, "/readyz") == 404, "the replica says that it ends")
            assert client.post("/api/worker/test").status_code == 202
            assert ended.result() == 0


def status_of(client: httpx.Client, path: str) -> int | None:
    try:
        return client.get(path).status_code
    except httpx.TransportError:
        return None


def test_a_replica_that_cannot_read_is_not_ready_and_says_why(stack: Stack, tmp_path: Path) -> None:
    port, nowhere = free_port(), f"127.0.0.1:{free_port()}"
    environment = {
        **stack.env_for("api-1"),
        "API_PORT": str(port),
        "DB_MASTER_HOST": nowhere,
        "DB_SLAVE1_HOST": nowhere,
        "DB_SLAVE2_HOST": nowhere,
    }
    with (
        OwnProcess("app", environment, tmp_path) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=5) as client,
    ):
        wait_until(lambda: status_of(client, "/healthz") == 200, "the replica answers")
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "OperationalError" in ready.json()["checks"]["database"]
        assert ready.json()["checks"]["redis"] == "ok"
        refused = client.post("/api/worker/test")
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "5")
        assert refused.headers["Content-Type"] == "application/problem+json"
        assert process.terminate() == 0


def _until(deadline: float) -> Iterator[None]:
    while time.monotonic() < deadline:
        yield
        time.sleep(0.02)
