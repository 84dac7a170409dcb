"""Flower before the real queue: who may see what, and what it shows without events."""

import base64
import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from flower.urls import handlers  # type: ignore[import-untyped] # it has no types
from redis import Redis
from tornado.web import RequestHandler

from stack.supervisor import Stack
from tests.stack.api_client import end_of
from tests.stack.parts import held_down
from tests.stack.waiting import wait_until
from tests.stack.worker.processes import OwnProcess, free_port

WORKERS = ("worker-1", "worker-2")
PAGES = ("", "workers", "worker/celery@worker-1", "tasks", "task/1", "broker")
API = (
    "api/workers",
    "api/queues/length",
    "api/tasks",
    "api/task/types",
    "api/task/info/1",
    "api/task/result/1",
)
TASKS = "*celeryev/task.*"


def authorization(account: str) -> dict[str, str]:
    return {"Authorization": f"Basic {base64.b64encode(account.encode()).decode()}"}


def account(stack: Stack) -> str:
    return stack.env_for("flower")["FLOWER_BASIC_AUTH"]


@pytest.fixture
def flower(stack: Stack) -> Iterator[httpx.Client]:
    """Give a client that has the password, by way of the load balancer."""
    with httpx.Client(
        base_url=f"{stack.url}/flower/", headers=authorization(account(stack)), timeout=15
    ) as client:
        yield client


def changing_addresses() -> list[str]:
    """Return every address of Flower's API at which something is changed, with names put in."""
    patterns = [
        handler[0]
        for handler in handlers
        if isinstance(handler, tuple) and handler[1].post is not RequestHandler.post
    ]
    addresses = [pattern for pattern in patterns if pattern.startswith("/api/")]
    return [address.replace("(.+)", "celery@worker-1").lstrip("/") for address in addresses]


@pytest.mark.parametrize("path", [*PAGES, *API])
@pytest.mark.parametrize("known", ["", "conveyor:wrong", "other:"])
def test_nothing_is_shown_without_the_password(stack: Stack, path: str, known: str) -> None:
    headers = authorization(known) if known else {}
    answer = httpx.get(f"{stack.url}/flower/{path}", headers=headers, timeout=5)
    assert answer.status_code == 401
    assert "worker" not in answer.text


def test_only_that_it_lives_is_said_to_everybody(stack: Stack) -> None:
    assert httpx.get(f"{stack.url}/flower/healthcheck", timeout=5).text == "OK"


def test_there_is_much_that_could_be_changed() -> None:
    assert len(changing_addresses()) > 10


@pytest.mark.parametrize("address", changing_addresses())
def test_nothing_can_be_changed_with_the_password(flower: httpx.Client, address: str) -> None:
    answer = flower.post(address, params={"n": 1, "min": 1, "max": 1, "queue": "x"}, json={"args": []})
    assert answer.status_code == 403
    assert answer.text == "Read only mode is enabled"


def raw_get(port: int, target: str) -> tuple[int, bytes]:
    """Send the target as it is written, which most clients would tidy up."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", target)
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


SPELLINGS = (
    *("/flower/metrics", "/flower/metrics/", "/flower//metrics", "//flower/metrics", "/flower/metrics?x=1"),
    *("/flower/%6detrics", "/flower%2fmetrics", "/%66lower/metrics", "/flower/%256detrics"),
    *(
        "/flower/./metrics",
        "/flower/x/../metrics",
        "/flower/metrics;x",
        "/flower/metrics%20",
        "/FLOWER/metrics",
    ),
    *("/flower/metrics%00", "/flower/metrics%0a", "/flower/%2e/metrics", "/flower/static/../metrics"),
    "http://localhost/flower/metrics",
)


@pytest.mark.parametrize("target", SPELLINGS)
def test_no_spelling_of_their_address_leads_to_the_metrics_through_the_front(
    stack: Stack, target: str
) -> None:
    status, body = raw_get(stack.ports["http"], target)
    assert status >= 400
    assert b"# HELP" not in body


def test_flower_itself_knows_one_spelling_which_is_for_prometheus(stack: Stack) -> None:
    shown = [target for target in SPELLINGS if b"# HELP" in raw_get(stack.ports["flower"], target)[1]]
    assert shown == ["/flower/metrics", "/flower/metrics?x=1"]


def test_workers_are_listed_without_events(flower: httpx.Client) -> None:
    def alive() -> set[str]:
        rows = flower.get("workers", params={"json": 1}).json()["data"]
        return {row["hostname"] for row in rows if row["status"]}

    expected = {f"celery@{worker}" for worker in WORKERS}
    wait_until(lambda: alive() == expected, "Flower has heard of both workers")

    def details() -> dict[str, Any]:
        # a connection from before Redis was started anew is noticed by using it
        return dict(flower.get("api/workers", params={"refresh": 1}).json())

    wait_until(lambda: set(details()) == expected, "Flower has asked both workers")
    assert [queue["name"] for queue in details()["celery@worker-1"]["active_queues"]] == ["default"]
    assert flower.get("worker/celery@worker-1").status_code == 200


def lengths(flower: httpx.Client) -> dict[str, int]:
    answer = flower.get("api/queues/length").json()
    return {queue["name"]: queue["messages"] for queue in answer["active_queues"]}


def test_what_waits_is_counted_and_a_finished_task_is_not_known(
    flower: httpx.Client, api: httpx.Client, stack: Stack
) -> None:
    with held_down(stack, *WORKERS):
        locations = [api.post("/api/worker/test").headers["Location"] for _ in range(3)]
        wait_until(lambda: lengths(flower) == {"default": 3}, "three messages wait")
        page = flower.get("broker").text
        assert re.search(r"default\s*</td>\s*<td[^>]*>\s*3\s*<", page)
    for location in locations:
        end_of(api, location, 60)
    assert lengths(flower) == {"default": 0}
    assert flower.get("api/tasks").json() == {}


@pytest.fixture
def own_flower(stack: Stack, tmp_path: Path) -> Iterator[tuple[OwnProcess, httpx.Client]]:
    """Start one that asks for events, and whose tasks have a queue that no worker takes from."""
    port = free_port()
    changes = {
        "FLOWER_PORT": str(port),
        "FLOWER_EVENTS": "true",
        "TASK_MODULES": "tests.stack.sample_tasks",
        "PYTHONPATH": "",
    }
    with (
        OwnProcess("worker.flower", {**stack.env_for("flower"), **changes}, tmp_path) as process,
        httpx.Client(
            base_url=f"http://127.0.0.1:{port}/flower/", headers=authorization(account(stack)), timeout=15
        ) as client,
    ):
        yield process, client


def test_events_are_asked_for_only_as_long_as_flower_wants_them(
    own_flower: tuple[OwnProcess, httpx.Client], api: httpx.Client, stack: Stack
) -> None:
    process, flower = own_flower

    def listed() -> bool:
        task_id = api.post("/api/worker/test").json()["task_id"]
        end_of(api, f"/api/tasks/{task_id}")
        return task_id in flower.get("api/tasks").json()

    def answers() -> bool:
        try:
            return flower.get("healthcheck").status_code == 200
        except httpx.TransportError:
            return False

    wait_until(answers, "Flower answers")
    wait_until(listed, "a task is listed")
    flower.get("api/workers", params={"refresh": 1})
    assert lengths(flower) == {"default": 0, "elsewhere": 0}
    assert "elsewhere" in flower.get("broker").text
    assert process.terminate() == 0

    password = stack.env_for("flower")["REDIS_PASSWORD"]
    with (
        Redis(port=stack.ports["redis"], password=password, socket_timeout=5) as redis,
        redis.pubsub() as events,
    ):
        events.psubscribe(TASKS)
        assert events.get_message(timeout=5)
        end_of(api, api.post("/api/worker/test").headers["Location"])
        assert events.get_message(timeout=2) is None
