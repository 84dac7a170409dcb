"""Many tasks in one request: all of them, or none."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import httpx2 as httpx
import pytest

from tests.stack.api_client import end_of, new_user, products_of

PATH = "/api/users/create-products"
MOST = 1000


def ids(answer: httpx.Response) -> list[str]:
    assert answer.status_code == 202, answer.text[:300]
    return [task["task_id"] for task in answer.json()["tasks"]]


def newest(api: httpx.Client) -> str:
    return str(api.get("/api/tasks", params={"limit": 1}).json()["items"][0]["task_id"])


def test_every_named_user_gets_a_product_as_often_as_named(api: httpx.Client, user_id: int) -> None:
    other = new_user(api)
    tasks = ids(api.post(PATH, json={"user_ids": [user_id, other, other]}))
    users = [end_of(api, f"/api/tasks/{task}")["payload"]["user_id"] for task in tasks]
    assert users == [user_id, other, other]
    assert [len(products_of(api, one)) for one in (user_id, other)] == [1, 2]


def test_a_thousand_tasks_are_promised_and_each_is_done_once(api: httpx.Client, user_id: int) -> None:
    tasks = ids(api.post(PATH, json={"user_ids": [user_id] * MOST}))
    assert len(set(tasks)) == MOST
    ends = [end_of(api, f"/api/tasks/{task}", 120) for task in tasks]
    assert {end["status"] for end in ends} == {"succeeded"}
    assert len({end["result"]["product_id"] for end in ends}) == MOST


def test_one_unknown_user_keeps_everything_out(api: httpx.Client, user_id: int) -> None:
    before = newest(api)
    answer = api.post(PATH, json={"user_ids": [user_id, 2**40, 2**41]})
    assert answer.status_code == 404
    assert answer.json()["detail"] == f"There are no users {2**40}, {2**41}."
    assert newest(api) == before


@pytest.mark.parametrize(
    "user_ids", [[], [1] * (MOST + 1), [0], ["Ada"]], ids=["none", "too many", "0", "a name"]
)
def test_what_no_client_can_mean_is_invalid(api: httpx.Client, user_ids: list[object]) -> None:
    assert api.post(PATH, json={"user_ids": user_ids}).status_code == 422


def test_one_idempotency_key_makes_one_batch(api: httpx.Client, user_id: int) -> None:
    headers = {"Idempotency-Key": f"batch-{time.monotonic_ns()}"}
    together = Barrier(4)

    def create(_: int) -> httpx.Response:
        together.wait(10)
        return api.post(PATH, json={"user_ids": [user_id] * 5}, headers=headers)

    with ThreadPoolExecutor(4) as pool:
        first, *others = [ids(answer) for answer in pool.map(create, range(4))]
    assert others == [first] * 3
    for task in first:
        end_of(api, f"/api/tasks/{task}")
    assert len(products_of(api, user_id)) == 5
    longer = api.post(PATH, json={"user_ids": [user_id] * 6}, headers=headers)
    assert longer.status_code == 422
    assert "take a new key" in longer.json()["detail"]
