"""The API in front of the whole system."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2 as httpx
import pytest

from tests.stack.api_client import end_of
from tests.stack.waiting import wait_until


def test_an_accepted_product_is_made_once_and_read_by_its_client(api: httpx.Client, user_id: int) -> None:
    accepted = api.post(f"/api/users/{user_id}/create-product")
    assert accepted.status_code == 202
    assert accepted.json()["status"] == "queued"
    assert accepted.headers["X-Database-Role"] == "primary"
    task = end_of(api, accepted.headers["Location"])
    assert task["status"] == "succeeded"
    assert task["task_id"] == accepted.json()["task_id"]
    assert (task["attempts"], task["error"]) == (1, None)
    assert task["accepted_by"] == accepted.headers["X-Served-By"]
    assert task["queue_wait_seconds"] >= 0
    product = api.get(f"/api/products/{task['result']['product_id']}").json()
    assert product["name"] == "Product for Ada"
    assert 10 <= float(product["price"]) <= 1000
    assert 1 <= product["quantity"] <= 100
    listed = api.get("/api/products", params={"user_id": user_id}).json()
    assert [one["task_id"] for one in listed["items"]] == [task["task_id"]]
    rows = api.get("/api/requests", params={"server_id": "celery-worker"}).json()["items"]
    assert [row["task_id"] for row in rows].count(task["task_id"]) == 1


def test_one_idempotency_key_makes_one_product(api: httpx.Client, user_id: int) -> None:
    headers = {"Idempotency-Key": f"key-{time.monotonic_ns()}"}
    answers = [api.post(f"/api/users/{user_id}/create-product", headers=headers) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [202, 202]
    assert answers[0].json() == answers[1].json()
    end_of(api, answers[0].headers["Location"])
    assert len(api.get("/api/products", params={"user_id": user_id}).json()["items"]) == 1
    other = api.post("/api/worker/test", headers=headers)
    assert other.status_code == 422
    assert "take a new key" in other.json()["detail"]


def test_requests_that_race_with_one_idempotency_key_make_one_product(
    api: httpx.Client, user_id: int
) -> None:
    headers = {"Idempotency-Key": f"race-{time.monotonic_ns()}"}
    together = Barrier(8)

    def create(_: int) -> httpx.Response:
        together.wait(10)
        return api.post(f"/api/users/{user_id}/create-product", headers=headers)

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(create, range(8)))
    assert [answer.status_code for answer in answers] == [202] * 8
    assert len({answer.json()["task_id"] for answer in answers}) == 1
    end_of(api, answers[0].headers["Location"])
    assert len(api.get("/api/products", params={"user_id": user_id}).json()["items"]) == 1


def test_any_registered_task_can_be_submitted(api: httpx.Client) -> None:
    kinds = {kind["name"] for kind in api.get("/api/tasks/kinds").json()}
    assert "test_worker_connection" in kinds
    accepted = api.post("/api/tasks", json={"name": "test_worker_connection", "payload": {}})
    task = end_of(api, accepted.headers["Location"])
    assert task["result"]["database_role"] == "primary"
    assert task["result"]["worker"] == task["worker"]


def test_an_unknown_task_is_not_found_and_a_wrong_payload_invalid(api: httpx.Client) -> None:
    unknown = api.post("/api/tasks", json={"name": "make_coffee"})
    assert unknown.status_code == 404
    assert "create_product_from_user" in unknown.json()["detail"]
    wrong = api.post("/api/tasks", json={"name": "create_product_from_user", "payload": {"user_id": "x"}})
    assert wrong.status_code == 422
    assert wrong.json()["errors"][0]["loc"] == ["body", "payload", "user_id"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/api/users/999999999", 404),
        ("/api/users/abc", 422),
        ("/api/products/999999999", 404),
        ("/api/products/0", 422),
        ("/api/tasks/0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77", 404),
        ("/api/tasks/0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77/events", 404),
        ("/api/tasks/7", 422),
    ],
)
def test_what_does_not_exist_is_a_problem(api: httpx.Client, path: str, status: int) -> None:
    answer = api.get(path)
    assert answer.status_code == status
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_product_for_an_unknown_user_is_not_accepted(api: httpx.Client) -> None:
    answer = api.post("/api/users/999999999/create-product")
    assert answer.status_code == 404
    assert answer.json()["detail"] == "There is no user 999999999."


def test_an_address_is_taken_once(api: httpx.Client, user_id: int) -> None:
    email = api.get(f"/api/users/{user_id}").json()["email"]
    answer = api.post("/api/users", json={"name": "Eve", "email": email})
    assert answer.status_code == 409


def test_lists_are_paged_without_gaps_or_repetitions(api: httpx.Client, user_id: int) -> None:
    for _ in range(3):
        end_of(api, api.post(f"/api/users/{user_id}/create-product").headers["Location"])
    first = api.get("/api/products", params={"user_id": user_id, "limit": 2}).json()
    rest = api.get("/api/products", params={"user_id": user_id, "limit": 2, "before": first["next"]}).json()
    ids = [product["id"] for product in first["items"] + rest["items"]]
    assert ids == sorted(ids, reverse=True)
    assert (len(ids), rest["next"]) == (3, None)
    tasks = api.get("/api/tasks", params={"status": "succeeded", "limit": 1}).json()
    older = api.get("/api/tasks", params={"status": "succeeded", "limit": 1, "before": tasks["next"]}).json()
    assert older["items"][0]["task_id"] < tasks["items"][0]["task_id"]
    users = api.get("/api/users", params={"limit": 1}).json()
    assert (
        api.get("/api/users", params={"limit": 1, "after": users["next"]}).json()["items"][0]["id"]
        > users["next"]
    )
    requests = api.get("/api/requests", params={"limit": 1}).json()
    assert api.get("/api/requests", params={"limit": 1, "before": requests["next"]}).json()["items"]


def test_a_finished_task_can_be_neither_cancelled_nor_replayed(api: httpx.Client) -> None:
    location = api.post("/api/worker/test").headers["Location"]
    end_of(api, location)
    cancelled = api.delete(location)
    assert (cancelled.status_code, "already succeeded" in cancelled.json()["detail"]) == (409, True)
    assert api.post(f"{location}/replay").status_code == 409


def test_cancelling_and_replaying_what_was_never_accepted_is_not_found(api: httpx.Client) -> None:
    path = "/api/tasks/0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77"
    assert api.delete(path).status_code == 404
    assert api.post(f"{path}/replay").status_code == 404


def test_the_events_of_a_task_end_with_it(api: httpx.Client, user_id: int) -> None:
    location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
    with api.stream("GET", f"{location}/events") as stream:
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        events = [line.removeprefix("event: ") for line in stream.iter_lines() if line.startswith("event: ")]
    assert events[-1] == "succeeded"
    assert len(events) == len(set(events))


def test_the_status_of_a_whole_system_is_ok(api: httpx.Client) -> None:
    def whole() -> bool:
        return bool(api.get("/api/worker/status").json()["status"] == "ok")

    wait_until(whole, "the status is ok")
    status = api.get("/api/worker/status").json()
    assert [worker["alive"] for worker in status["workers"]].count(True) >= 2
    assert [member["role"] for member in status["mysql"]["members"]] == ["PRIMARY", "SECONDARY", "SECONDARY"]


def test_requests_leave_rows_that_name_the_replica(api: httpx.Client) -> None:
    marked = api.get("/api/users", headers={"X-Request-ID": f"row-{time.monotonic_ns()}"})

    def recorded() -> bool:
        rows = api.get("/api/requests", params={"server_id": marked.headers["X-Served-By"]}).json()["items"]
        return marked.headers["X-Request-ID"] in [row["request_id"] for row in rows]

    wait_until(recorded, "the row of the request is written")


def test_every_replica_serves_and_reads_from_replicas(api: httpx.Client) -> None:
    answers = [api.get("/api/users") for _ in range(12)]
    assert {answer.headers["X-Served-By"] for answer in answers} == {"api-1", "api-2", "api-3"}
    assert {answer.headers["X-Database-Role"] for answer in answers} == {"replica"}


def test_metrics_are_not_for_the_public(api: httpx.Client) -> None:
    assert api.get("/metrics").status_code == 403
