"""One trace from a request to the worker's statements, as a collector receives it."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from app.models import TaskStatus
from stack.ports import can_bind, free_ports
from tests.stack.api_client import end_of
from tests.stack.waiting import wait_until
from tests.stack.worker.collector import Collector, running
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import OwnProcess

SECRET = "hunter2-of-ada"
Traced = tuple[OwnProcess, httpx.Client, Collector]
PROCESS = "process create_product_from_user"


@pytest.fixture
def collector() -> Iterator[Collector]:
    with running() as collector:
        yield collector


def traced(url: str) -> dict[str, str]:
    return {"OTEL_EXPORTER_OTLP_ENDPOINT": url, "OTEL_BSP_SCHEDULE_DELAY": "200"}


@pytest.fixture
def api_of(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[tuple[OwnProcess, httpx.Client, Collector]]:
    """An API of the test's own, traced."""
    port = next(iter(free_ports(can_bind).values()))
    own = {"API_HOST": "127.0.0.1", "API_PORT": str(port), "API_DRAIN_SECONDS": "0", "LOG_FORMAT": "json"}
    with (
        running() as collector,
        OwnProcess("app", {**environment, **own, **traced(collector.url)}, tmp_path) as process,
        httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=15) as client,
    ):

        def is_ready() -> bool:
            try:
                return client.get("/readyz").status_code == httpx.codes.OK
            except httpx.HTTPError:
                return False

        wait_until(is_ready, "the API is ready", 60)
        yield process, client, collector


def attributes(span: Span) -> dict[str, str]:
    return {one.key: one.value.string_value or str(one.value.int_value) for one in span.attributes}


def test_one_trace_leads_from_the_request_to_the_statements_of_the_worker(
    api_of: Traced, ledger: Ledger, start_worker: StartWorker
) -> None:
    process, api, collector = api_of
    start_worker(**traced(collector.url))
    trace_id = secrets.token_hex(16)
    answer = api.post(
        f"/api/users/{ledger.user_id}/create-product?secret={SECRET}",
        headers={"traceparent": f"00-{trace_id}-{secrets.token_hex(8)}-01"},
    )
    task = end_of(api, answer.headers["Location"])
    assert task["status"] == "succeeded"
    parts = {
        "POST /api/users/{user_id}/create-product",
        f"publish {ledger.queue}",
        *(PROCESS, "run", "INSERT products", "COMMIT"),
    }
    wait_until(lambda: parts <= collector.names(trace_id), "every part has arrived", 20)
    spans = {span.name: span for span in collector.spans(trace_id)}
    publish, worked = spans[f"publish {ledger.queue}"], spans[PROCESS]
    assert worked.parent_span_id == publish.span_id
    assert spans["run"].parent_span_id == spans["COMMIT"].parent_span_id == worked.span_id
    assert spans["INSERT products"].parent_span_id == spans["run"].span_id
    said = attributes(worked)
    assert said["conveyor.task.id"] == task["task_id"]
    assert (said["conveyor.task.attempt"], said["conveyor.task.outcome"]) == ("1", "succeeded")
    assert "VALUES (%(" in attributes(spans["INSERT products"])["db.query.text"]
    assert SECRET not in collector.text()
    assert trace_id in process.text()
    assert process.terminate() == 0


def test_every_attempt_is_part_of_the_trace_that_the_ledger_keeps(
    collector: Collector, ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker(**traced(collector.url))
    trace_id = secrets.token_hex(16)
    (task_id,) = ledger.accept(
        "fail", {"text": SECRET}, max_attempts=2, traceparent=f"00-{trace_id}-{secrets.token_hex(8)}-01"
    )
    ledger.wait_for(task_id, TaskStatus.FAILED)
    assert worker.terminate() == 0, "its last spans were sent at its end"
    attempts = [span for span in collector.spans(trace_id) if span.name == "process fail"]
    assert [attributes(span)["conveyor.task.outcome"] for span in attempts] == ["retrying", "failed"]
    assert {span.status.code for span in attempts} == {Status.STATUS_CODE_ERROR}
    assert SECRET not in collector.text()


def test_a_collector_that_is_away_costs_spans_and_no_task(ledger: Ledger, start_worker: StartWorker) -> None:
    port = next(iter(free_ports(can_bind).values()))
    worker = start_worker(**traced(f"http://127.0.0.1:{port}"), OTEL_EXPORTER_OTLP_TIMEOUT="0.2")
    task_ids = [ledger.submit("create_product_from_user", {"user_id": ledger.user_id}) for _ in range(5)]
    for task_id in task_ids:
        ledger.wait_for(task_id, TaskStatus.SUCCEEDED)
    wait_until(lambda: "the collector takes no traces" in worker.text(), "the log says so")
    assert worker.terminate() == 0
    assert worker.events()
