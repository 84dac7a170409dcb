"""A client of the API as the tests use it."""

import time
from typing import Any

import httpx2 as httpx

from tests.stack.waiting import wait_until

FINAL = {"succeeded", "failed", "cancelled"}


def new_user(api: httpx.Client) -> int:
    """Create a user of its own for a test; returns the id."""
    answer = api.post("/api/users", json={"name": "Ada", "email": f"ada-{time.monotonic_ns()}@example.com"})
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/api/users/{answer.json()['id']}"
    return int(answer.json()["id"])


def end_of(api: httpx.Client, location: str, deadline_seconds: float = 30) -> dict[str, Any]:
    """Follow a task to its end."""
    task: dict[str, Any] = {}

    def ended() -> bool:
        answer = api.get(location)
        task.update(answer.json())
        return answer.status_code == 200 and task["status"] in FINAL

    wait_until(ended, f"{location} ends", deadline_seconds)
    return task


def products_of(api: httpx.Client, user_id: int) -> list[dict[str, Any]]:
    """List what was made for a user."""
    products: list[dict[str, Any]] = api.get(
        "/api/products", params={"user_id": user_id, "limit": 200}
    ).json()["items"]
    return products
