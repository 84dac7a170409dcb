"""SIGTERM: what can end soon ends, everything else goes back to the queue uncounted."""

import time

import pytest

from app.cluster.service import WORKERS_KEY
from app.models import TaskStatus
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger

pytestmark = pytest.mark.stack


def test_an_idle_worker_ends_at_once_and_leaves_nothing(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker()
    wait_until(lambda: bool(ledger.redis.hexists(WORKERS_KEY, worker.name)), "the worker is listed")
    children = worker.children()
    started = time.monotonic()

    assert worker.terminate() == 0

    assert time.monotonic() - started < 20  # a busy machine takes its time; it must not hang
    assert children
    assert not worker.ready_file.exists()
    assert not worker.heartbeat_file.exists()
    assert not ledger.redis.hexists(WORKERS_KEY, worker.name)
    assert [event for event in worker.events() if event["level"] in ("error", "critical")] == []


def test_a_task_that_ends_in_time_is_waited_for_and_no_longer(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker(WORKER_SOFT_SHUTDOWN_SECONDS="60")
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 3})
    ledger.wait_for_starts(task_id, 1)
    started = time.monotonic()

    assert worker.terminate() == 0

    assert time.monotonic() - started < 30
    assert ledger.task(task_id).status is TaskStatus.SUCCEEDED
    assert ledger.effects(task_id) == (1, 1)


def test_a_long_task_returns_to_the_queue_uncounted_and_is_done_once(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker("leaver")
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 6})
    waiting = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0.1})
    ledger.wait_for_starts(task_id, 1)

    assert worker.terminate() == 0

    task = ledger.task(task_id)
    assert (task.status, task.attempts) == (TaskStatus.QUEUED, 0)
    assert ledger.redis.llen(ledger.queue) >= 2

    start_worker("stayer")
    assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED).attempts == 1
    assert ledger.wait_for(waiting, TaskStatus.SUCCEEDED).attempts == 1
    assert len(ledger.starts(task_id)) == 2
    assert ledger.effects(task_id, waiting) == (2, 2)


def test_the_worker_says_what_it_does_while_it_runs(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker()
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 6})
    ledger.wait_for_starts(task_id, 1)

    def running() -> bool:
        said = ledger.redis.hget(WORKERS_KEY, worker.name) or ""
        return task_id in str(said)

    wait_until(running, "the worker lists the task", 10)
    assert worker.metric("worker_tasks_running") == 1
    assert worker.metric("worker_lease_renewals_total") >= 1


def test_every_line_of_the_log_is_json_and_tasks_are_named(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker()
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0.01}, request_id="req-7")
    ledger.wait_for(task_id, TaskStatus.SUCCEEDED)

    assert worker.terminate() == 0

    [ended] = [event for event in worker.events() if event["event"] == "task ended"]
    assert (ended["task_id"], ended["request_id"]) == (task_id, "req-7")
    assert (ended["outcome"], ended["attempt"], ended["task"]) == ("succeeded", 1, "slow_product")
