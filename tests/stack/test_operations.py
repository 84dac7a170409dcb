"""What a person on call is told by the real parts, and what it costs them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import event
from sqlalchemy.engine import Connection

from app.database.routing import Database
from app.database.sessions import ReadSession
from app.metrics import DatabaseMetrics
from app.models import TaskStatus
from app.operations.repository import OperationsRepository
from app.settings import Settings
from stack.supervisor import Stack
from tests.stack.api_client import end_of
from tests.stack.members import replicas
from tests.stack.parts import held_down
from tests.stack.waiting import wait_until
from tests.stack.worker.processes import OwnProcess, free_port

NOBODY = 2**40


def operations(api: httpx.Client) -> dict[str, Any]:
    answer = api.get("/api/operations")
    assert answer.status_code == 200
    return dict(answer.json())


def ended(api: httpx.Client, outcome: str) -> int:
    return sum(minute[outcome] for minute in operations(api)["ended"])


def make_one_fail(api: httpx.Client) -> str:
    answer = api.post("/api/tasks", json={"name": "create_product_from_user", "payload": {"user_id": NOBODY}})
    assert end_of(api, answer.headers["Location"])["status"] == "failed"
    return str(answer.json()["task_id"])


def test_what_ends_is_counted_in_its_minute_by_outcome(api: httpx.Client, stack: Stack, user_id: int) -> None:
    before = {outcome: ended(api, outcome) for outcome in ("succeeded", "failed", "cancelled")}
    for _ in range(3):
        end_of(api, api.post(f"/api/users/{user_id}/create-product").headers["Location"])
    make_one_fail(api)
    with held_down(stack, "worker-1", "worker-2"):
        api.delete(api.post("/api/worker/test").headers["Location"])
    after = {outcome: count + more for (outcome, count), more in zip(before.items(), (3, 1, 1), strict=True)}
    wait_until(lambda: {outcome: ended(api, outcome) for outcome in after} == after, "all five are counted")
    minutes = operations(api)["ended"]
    assert len(minutes) == 60
    newest = datetime.fromisoformat(minutes[-1]["start"])
    assert newest.second == 0
    assert datetime.now(UTC) - newest < timedelta(minutes=2)


def test_a_failed_task_is_listed_until_it_is_replayed(api: httpx.Client) -> None:
    task_id = make_one_fail(api)

    def listed() -> list[str]:
        return [task["task_id"] for task in operations(api)["failed"]["newest"]]

    wait_until(lambda: task_id in listed(), "the task is listed")
    assert operations(api)["failed"]["count"] >= 1
    first = next(task for task in operations(api)["failed"]["newest"] if task["task_id"] == task_id)
    assert str(NOBODY) in first["error"]


def test_without_redis_what_it_knows_is_unknown_and_all_else_is_shown(
    api: httpx.Client, stack: Stack
) -> None:
    with held_down(stack, "redis"):
        status = operations(api)
        assert set(status["unknown"]) == {"redis", "workers", "queues", "unacknowledged"}
        assert not any("no worker is known" in problem for problem in status["problems"])
        assert len(status["ended"]) == 60
        page = api.get("/ui/operations").text
        assert page.count("Redis does not answer") >= 3
        location = api.post("/api/worker/test").headers["Location"]
        wait_until(lambda: operations(api)["outbox"]["pending"] >= 1, "an unpublished task is seen")
    end_of(api, location, 60)


def test_a_lost_member_is_named(api: httpx.Client, stack: Stack) -> None:
    lost = replicas(stack)[0]
    with held_down(stack, lost):
        address = f"127.0.0.1:{stack.ports[lost]}"

        def states() -> dict[str, str]:
            return {one["address"]: one["state"] for one in operations(api)["mysql"]["members"]}

        wait_until(lambda: states().get(address) == "MISSING", "the member is missed by its name", 60)
        assert sorted(states().values()) == ["MISSING", "ONLINE", "ONLINE"]
        assert f"{address} is lost: it is not in the group" in operations(api)["problems"]


def test_the_page_is_shown_without_any_database(stack: Stack, tmp_path: Path) -> None:
    port, nowhere = free_port(), f"127.0.0.1:{free_port()}"
    environment = {**stack.env_for("api-1"), "API_PORT": str(port)}
    environment |= dict.fromkeys(("DB_MASTER_HOST", "DB_SLAVE1_HOST", "DB_SLAVE2_HOST"), nowhere)
    with (
        OwnProcess("app", environment, tmp_path),
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=10) as client,
    ):

        def answers() -> bool:
            try:
                return client.get("/healthz").status_code == 200
            except httpx.TransportError:
                return False

        wait_until(answers, "the replica answers")
        page = client.get("/ui/operations", params={"watched": "0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77"})
        assert page.status_code == 200
        assert page.text.count("Unknown") == 4
        assert "MySQL does not answer" in page.text
        assert set(client.get("/api/operations").json()["unknown"]) == {"mysql", "ledger", "ended"}


@pytest.fixture
def session(stack: Stack) -> Iterator[ReadSession]:
    settings = Settings.model_validate(
        {name.lower(): value for name, value in stack.env_for("api-1").items() if name != "TASK_MODULES"}
    )
    database = Database(settings, DatabaseMetrics(CollectorRegistry()))
    with database.read() as session:
        yield session
    database.dispose()


def plans(session: ReadSession, since: datetime) -> dict[str, str]:
    """Return how MySQL answers each question of the page about many rows."""
    asked: list[tuple[str, Any]] = []

    def note(_connection: Connection, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:  # noqa: ANN401
        asked.append((statement, parameters))

    engine = session.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    repository = OperationsRepository(session)
    repository.succeeded(since)
    repository.ended_as(TaskStatus.FAILED, since)
    repository.ended_as(TaskStatus.CANCELLED, since)
    repository.count_failed()
    event.remove(engine, "before_cursor_execute", note)
    names = ("succeeded", "failed", "cancelled", "count")
    connection = session.connection()
    return {
        name: "\n".join(
            str(row[0]) for row in connection.exec_driver_sql(f"EXPLAIN FORMAT=TREE {statement}", parameters)
        )
        for name, (statement, parameters) in zip(names, asked, strict=True)
    }


def test_no_question_reads_more_than_an_index_and_a_bounded_number_of_rows(session: ReadSession) -> None:
    found = plans(session, datetime.now(UTC) - timedelta(hours=1))
    assert "Covering index range scan on requests using ix_requests_server_id_timestamp" in found["succeeded"]
    for name in ("failed", "cancelled"):
        assert "Limit: 5000 row(s)" in found[name]
        assert "using ix_tasks_status_id" in found[name]
        assert "Sort" not in found[name]
    assert "Limit: 1000 row(s)" in found["count"]
    assert "Covering index lookup on tasks using ix_tasks_status_id" in found["count"]
    assert not any(
        "Table scan on tasks" in plan or "Table scan on requests" in plan for plan in found.values()
    )
