"""The relay publishes what was promised, however many relays there are and whatever is away."""

import json
import urllib.error
import urllib.request

import pytest

from app.models import TaskStatus
from app.outbox.repository import OutboxRepository
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartRelay, StartWorker
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import free_port

pytestmark = pytest.mark.stack


def get(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()
    except OSError as error:
        return 0, str(error)


def test_relays_side_by_side_publish_each_task_and_it_is_done_once(
    ledger: Ledger, start_relay: StartRelay, start_worker: StartWorker
) -> None:
    # on a busy machine the queue takes longer than the redelivery time of tests
    patient = {"TASK_REDELIVERY_SECONDS": "60"}
    relays = [
        start_relay(RELAY_METRICS_PORT=str(free_port()), RELAY_BATCH_SIZE="40", **patient) for _ in range(2)
    ]
    worker = start_worker(WORKER_CONCURRENCY="2")
    task_ids = ledger.accept("slow_product", {"user_id": ledger.user_id, "seconds": 0}, count=500)

    wait_until(lambda: ledger.effects(*task_ids) == (500, 500), "all are done", 90)

    assert all(relay.is_running for relay in relays)
    wait_until(lambda: worker.metric("tasks_total", outcome="succeeded") == 500, "all are counted", 10)
    assert worker.metric("task_skips_total") == 0, "no relay published what another had"


def test_a_relay_ends_in_order_at_sigterm(start_relay: StartRelay) -> None:
    port = free_port()
    relay = start_relay(RELAY_METRICS_PORT=str(port))
    wait_until(lambda: get(port, "/readyz")[0] == 200, "the relay is ready")

    assert relay.terminate(deadline_seconds=5) == 0

    assert [event["event"] for event in relay.events()] == ["relay at work"]


def test_a_relay_without_redis_lives_and_recovers(ledger: Ledger, start_relay: StartRelay) -> None:
    port, nobody = free_port(), free_port()
    relay = start_relay(RELAY_METRICS_PORT=str(port), REDIS_PORT=str(nobody))

    wait_until(lambda: get(port, "/readyz")[0] == 503, "the relay is not ready")
    wait_until(lambda: "held up" in relay.text(), "the relay says why")

    assert get(port, "/healthz") == (200, "ok\n")
    assert get(port, "/nowhere")[0] == 404
    assert "Connection refused" in get(port, "/readyz")[1]
    assert relay.text().count("held up") == 1
    del ledger


def test_a_queue_that_waits_is_not_published_again(ledger: Ledger, start_relay: StartRelay) -> None:
    port = free_port()
    task_ids = [ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0}) for _ in range(3)]
    with ledger.database.write() as session:
        OutboxRepository(session).mark_published(task_ids)
        session.commit()
    start_relay(RELAY_METRICS_PORT=str(port), TASK_REDELIVERY_SECONDS="1")
    wait_until(lambda: get(port, "/readyz")[0] == 200, "the relay is ready")

    depth = f'queue_depth{{queue="{ledger.queue}"}} 3.0'
    wait_until(lambda: depth in get(port, "/metrics")[1], "the relay has looked at the queue")
    age = f'queue_oldest_age_seconds{{queue="{ledger.queue}"}} '

    def oldest_age() -> float:
        [line] = [line for line in get(port, "/metrics")[1].splitlines() if line.startswith(age)]
        return float(line.removeprefix(age))

    wait_until(lambda: oldest_age() > 4, "the messages have waited well beyond the redelivery time", 20)
    assert depth in get(port, "/metrics")[1]
    assert ledger.redis.llen(ledger.queue) == 3


def test_a_message_lost_from_the_middle_is_published_again(
    ledger: Ledger, start_relay: StartRelay, start_worker: StartWorker
) -> None:
    port = free_port()
    [lost] = ledger.accept("slow_product", {"user_id": ledger.user_id, "seconds": 0})
    with ledger.database.write() as session:
        OutboxRepository(session).mark_published([lost])
        session.commit()
    start_relay(RELAY_METRICS_PORT=str(port), TASK_REDELIVERY_SECONDS="1")

    wait_until(lambda: ledger.redis.llen(ledger.queue) == 1, "the message is back", 20)
    [raw] = ledger.redis.lrange(ledger.queue, 0, -1)
    assert json.loads(raw)["headers"]["id"] == lost
    start_worker()
    ledger.wait_for(lost, TaskStatus.SUCCEEDED)

    assert 'tasks_republished_total{reason="unstarted"}' in get(port, "/metrics")[1]
