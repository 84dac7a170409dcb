"""What the processes say: one id finds a task's life, every line is JSON, and no secret is in any."""

import json
import secrets
from typing import Any

import httpx2 as httpx
from sqlalchemy import text
from structlog.contextvars import bound_contextvars

from app.models import TaskStatus
from stack.supervisor import Stack
from tests.stack.api_client import end_of
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger

SECRET = "hunter2-of-ada"
DAEMONS = ("mysql-0", "mysql-1", "mysql-2", "redis", "haproxy", "prometheus")
LIFE = (
    "task accepted",
    "request",
    "task published",
    "task ended",
)


def lines_with(stack: Stack, text: str) -> list[dict[str, Any]]:
    """What grep would find."""
    lines = [line for name in stack.names for line in stack.logs(name, 2000) if text in line]
    return sorted(map(json.loads, lines), key=lambda line: str(line["timestamp"]))


def test_one_id_finds_the_life_of_a_task(stack: Stack, api: httpx.Client, user_id: int) -> None:
    request_id = f"find-me-{secrets.token_hex(4)}"
    answer = api.post(f"/api/users/{user_id}/create-product", headers={"X-Request-ID": request_id})
    task = end_of(api, answer.headers["Location"])

    def found() -> set[str]:
        return {line["event"] for line in lines_with(stack, request_id)}

    wait_until(lambda: set(LIFE) <= found(), f"all of {LIFE} are found")
    lines = lines_with(stack, request_id)
    assert {line["process"] for line in lines} == {"api", "worker"}
    assert {"waited_seconds", "seconds", "batch"} <= set(lines[-1])
    tasks = {line.get("task_id") for line in lines} - {None}
    assert tasks == {task["task_id"]}
    assert lines[-1]["outcome"] == "succeeded"


def test_every_line_of_ours_is_json_and_none_has_a_password(stack: Stack) -> None:
    passwords = set(json.loads((stack.directory / "secrets.json").read_text()).values())
    names = [name for name in stack.names if name not in DAEMONS]
    assert {name.rpartition("-")[0] or name for name in names} >= {
        "api",
        "worker",
        "relay",
        "agent",
        "flower",
    }
    for name in names:
        for line in stack.logs(name, 2000):
            said = json.loads(line)
            assert {"timestamp", "level", "event", "process"} <= set(said), line
            assert not any(password in line for password in passwords), f"a password in a line of {name}"


def test_what_a_failing_task_quotes_is_in_the_ledger_and_not_in_the_log(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker()
    failing = ledger.submit("fail", {"text": SECRET}, retry_delay_seconds=0.2)
    for_good = ledger.submit("fail_for_good", {"text": SECRET})
    unfit = ledger.submit("fail", {"words": SECRET})
    task = ledger.wait_for(failing, TaskStatus.FAILED)
    assert task.error == f"ValueError: {SECRET}"
    for task_id in (for_good, unfit):
        ledger.wait_for(task_id, TaskStatus.FAILED)
    assert worker.terminate() == 0
    assert SECRET not in worker.text()
    failures = [line for line in worker.events() if line["event"] == "attempt failed"]
    assert {line["error"] for line in failures} == {"ValueError", "PermanentTaskError", "InvalidPayloadError"}
    assert all("Traceback" in line["exception"] for line in failures)


def test_a_statement_tells_the_server_for_whom_it_runs(ledger: Ledger) -> None:
    with bound_contextvars(request_id="r-1", task_id="t-1"), ledger.database.write() as session:
        shown = session.scalar(
            text("SELECT info FROM information_schema.processlist WHERE id = CONNECTION_ID()")
        )
    assert str(shown).startswith("/* request_id='r-1',task_id='t-1' */ SELECT info")
