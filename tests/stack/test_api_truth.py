"""What the API says of a task is true for whoever hears it, however far behind a replica is."""

from typing import Any

import httpx2 as httpx
import pytest

from stack.supervisor import Stack
from tests.stack.api_client import end_of
from tests.stack.members import held_back, replicas

TOKEN = "X-Causality-Token"


def follow(stack: Stack, location: str, headers: dict[str, str]) -> list[tuple[str, str]]:
    """Return the events of a task as (id, status), as a client that has seen nothing else."""
    fields: dict[str, list[str]] = {"id": [], "event": []}
    with httpx.stream("GET", f"{stack.url}{location}/events", headers=headers, timeout=30) as stream:
        for line in stream.iter_lines():
            field, _, value = line.partition(": ")
            if field in fields:
                fields[field].append(value)
    return list(zip(fields["id"], fields["event"], strict=True))


def product_for(stack: Stack, task: dict[str, Any], headers: dict[str, str]) -> httpx.Response:
    path = f"/api/products/{task['result']['product_id']}"
    return httpx.get(f"{stack.url}{path}", headers=headers, timeout=15)


def test_whoever_sees_a_task_succeeded_sees_its_product_although_a_replica_is_behind(
    api: httpx.Client, stack: Stack, user_id: int
) -> None:
    with (
        held_back(stack, replicas(stack)[:1], "products"),
        httpx.Client(base_url=stack.url, timeout=15) as poller,
    ):
        location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
        task = end_of(poller, location)
        products = [poller.get(f"/api/products/{task['result']['product_id']}") for _ in range(4)]
        lists = [poller.get("/api/products", params={"user_id": user_id}).json() for _ in range(4)]
    assert {product.status_code for product in products} == {200}
    assert [len(listed["items"]) for listed in lists] == [1] * 4


def test_a_client_that_no_replica_can_tell_of_a_task_sees_what_it_made(
    api: httpx.Client, stack: Stack, user_id: int
) -> None:
    with (
        held_back(stack, replicas(stack), "tasks"),
        httpx.Client(base_url=stack.url, timeout=15) as stranger,
    ):
        location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
        task = end_of(stranger, location)
        product = stranger.get(f"/api/products/{task['result']['product_id']}")
    assert product.status_code == 200
    assert product.headers["X-Database-Role"] == "primary"


def test_a_final_state_that_was_seen_is_never_unseen(api: httpx.Client, stack: Stack, user_id: int) -> None:
    with (
        held_back(stack, replicas(stack)[:1], "tasks"),
        httpx.Client(base_url=stack.url, timeout=15) as poller,
    ):
        location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
        end_of(poller, location)
        states = [poller.get(location).json()["status"] for _ in range(6)]
        row = f"/ui/fragments/tasks/{location.rpartition('/')[2]}"
        ended = [poller.get(row).headers.get("HX-Trigger") for _ in range(4)]
    assert states == ["succeeded"] * 6
    assert ended == ["task-ended"] * 4


@pytest.mark.parametrize("behind", [1, 2])
def test_the_events_of_a_task_never_go_back_and_bring_the_token_for_what_it_made(
    api: httpx.Client, stack: Stack, user_id: int, behind: int
) -> None:
    with held_back(stack, replicas(stack)[:behind], "tasks"):
        location = api.post(f"/api/users/{user_id}/create-product").headers["Location"]
        seen = follow(stack, location, {})
        states = [state for _, state in seen]
        assert states == sorted(set(states), key=["queued", "running", "succeeded"].index)
        token = {TOKEN: seen[-1][0]}
        task = httpx.get(f"{stack.url}{location}", headers=token, timeout=15).json()
        assert task["status"] == "succeeded"
        assert [product_for(stack, task, token).status_code for _ in range(4)] == [200] * 4
        again = [follow(stack, location, {"Last-Event-ID": seen[-1][0]}) for _ in range(2)]
    assert [[state for _, state in events] for events in again] == [["succeeded"]] * 2
