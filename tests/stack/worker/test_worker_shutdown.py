"""SIGTERM: what can end soon ends, everything else goes back to the queue uncounted."""

import time

import pytest

from app.cluster.service import WORKERS_KEY
from app.models import TaskStatus
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger

pytestmark = pytest.mark.stack

GRACE_PERIOD_SECONDS = 45  # as the chart has it


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
    given_back = [line["task_id"] for line in worker.events() if line["event"] == "attempt given back"]
    assert given_back == [task_id]

    start_worker("stayer")
    assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED).attempts == 1
    assert ledger.wait_for(waiting, TaskStatus.SUCCEEDED).attempts == 1
    assert len(ledger.starts(task_id)) == 2
    assert ledger.effects(task_id, waiting) == (2, 2)


def test_all_that_a_worker_runs_and_holds_returns_within_the_grace_period(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker("leaver", WORKER_CONCURRENCY="3")
    running = [
        ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 8}, max_attempts=1)
        for _ in range(3)
    ]
    for task_id in running:
        ledger.wait_for_starts(task_id, 1)
    waiting = [ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0}) for _ in range(3)]
    started = time.monotonic()

    assert worker.terminate(GRACE_PERIOD_SECONDS) == 0

    assert time.monotonic() - started < GRACE_PERIOD_SECONDS / 2
    states = {(task.status, task.attempts) for task in map(ledger.task, running + waiting)}
    assert states == {(TaskStatus.QUEUED, 0)}
    assert ledger.redis.llen(ledger.queue) >= 6
    start_worker("stayer", WORKER_CONCURRENCY="3")
    ends = [ledger.wait_for(task_id, TaskStatus.SUCCEEDED, 60) for task_id in running + waiting]
    assert {task.attempts for task in ends} == {1}, "what was interrupted did not count"
    assert [len(ledger.starts(task_id)) for task_id in running + waiting] == [2, 2, 2, 1, 1, 1]
    assert ledger.effects(*running, *waiting) == (6, 6)


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
