"""What all tests share: questions to the API, and a verdict that says what was seen."""

import json
import os
import time
import urllib.error
import urllib.request
import uuid
from collections.abc import Mapping
from email.message import Message
from typing import Any

URL = os.environ["CONVEYOR_URL"].rstrip("/")
REQUEST_SECONDS = 15
TASK_SECONDS = 60


class Answer:
    """Status, headers and body of an answer, also of one that says no."""

    def __init__(self, status: int, headers: Message, body: bytes) -> None:
        self.status = status
        self.headers = headers
        self.body = body

    def json(self) -> Any:  # noqa: ANN401 - each answer has a form of its own
        return json.loads(self.body)


def ask(
    method: str, path: str, body: object = None, headers: Mapping[str, str] | None = None, base: str = URL
) -> Answer:
    """Send a request; only a connection that fails is an error."""
    request = urllib.request.Request(  # noqa: S310 - the chart's own addresses
        base + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"Content-Type": "application/json", **(headers or {})},
    )
    try:
        with urllib.request.urlopen(request, timeout=REQUEST_SECONDS) as response:  # noqa: S310 - as above
            return Answer(response.status, response.headers, response.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, error.headers, error.read())


def check(condition: object, what: str) -> None:
    """Print what holds, or end the test with what does not."""
    if not condition:
        raise SystemExit(f"FAILED: {what}")
    print(f"ok: {what}", flush=True)


def create_user() -> tuple[int, str]:
    """Create a user whom nobody else has; returns the id and the token with which it can be read."""
    name = f"Test {uuid.uuid4()}"
    answer = ask("POST", "/api/users", {"name": name, "email": f"{uuid.uuid4()}@example.com"})
    check(answer.status == 201, f"a user is created (status {answer.status})")
    return int(answer.json()["id"]), answer.headers["X-Causality-Token"]


def finished(task_id: str) -> dict[str, Any]:
    """Wait for the end of a task."""
    deadline = time.monotonic() + TASK_SECONDS
    while True:
        task: dict[str, Any] = ask("GET", f"/api/tasks/{task_id}").json()
        if task["status"] in {"succeeded", "failed", "cancelled"} or time.monotonic() > deadline:
            return task
        time.sleep(0.5)
