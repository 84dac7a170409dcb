"""Short tasks share a transaction, and whatever befalls one of them or all, each takes effect once."""

import os
import signal
from typing import Any

import pytest

from app.models import TaskStatus
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import OwnWorker

pytestmark = pytest.mark.stack

QUICK = "quick_product"


def submit(ledger: Ledger, mishaps: list[str], **columns: Any) -> list[str]:  # noqa: ANN401 - columns of the row
    """Submit a task per mishap, and have them wait together."""
    payloads = [{"user_id": ledger.user_id, "mishap": mishap} for mishap in mishaps]
    return ledger.submit_together(QUICK, payloads, **columns)


def batches(worker: OwnWorker) -> list[int]:
    """Return for each task that ended in a batch how many took effect together."""
    return [line["batch"] for line in worker.events() if line["event"] == "task ended" and "batch" in line]


def assert_done_once(ledger: Ledger, task_ids: list[str]) -> None:
    for task_id in task_ids:
        assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED, 60).attempts == 1
    assert ledger.effects(*task_ids) == (len(task_ids), len(task_ids))


def test_what_waits_together_takes_effect_together_and_each_once(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    task_ids = submit(ledger, ["none"] * 60)

    worker = start_worker("own-worker")

    assert_done_once(ledger, task_ids)
    wait_until(lambda: len(batches(worker)) == 60, "each has a line in the log")
    assert max(batches(worker)) > 1
    assert {len(ledger.starts(task_id)) for task_id in task_ids} == {1}
    task = ledger.task(task_ids[0])
    assert (task.worker, task.error, task.lease_owner) == ("own-worker", None, None)
    assert task.started_at
    assert task.finished_at
    assert task.started_at <= task.finished_at
    assert set(task.result or {}) == {"product_id"}
    assert worker.metric("tasks_total", task=QUICK, outcome="succeeded") == 60
    assert worker.metric("task_queue_wait_seconds_count", task=QUICK) == 60
    assert worker.metric("task_accepted_to_done_seconds_count", task=QUICK) == 60


def test_a_task_that_fails_among_others_fails_alone_and_by_its_own_rules(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    mishaps = ["none"] * 50
    mishaps[20] = mishaps[40] = "raise"
    task_ids = submit(ledger, mishaps, max_attempts=2, retry_delay_seconds=0.2)
    failing = [task_ids[20], task_ids[40]]

    start_worker()

    assert_done_once(ledger, [task_id for task_id in task_ids if task_id not in failing])
    for task_id in failing:
        task = ledger.wait_for(task_id, TaskStatus.FAILED)
        assert (task.attempts, task.error) == (2, "ValueError: no luck")
    assert ledger.effects(*failing) == (0, 0)


def test_a_task_that_was_cancelled_meanwhile_is_left_out(ledger: Ledger, start_worker: StartWorker) -> None:
    task_ids = submit(ledger, ["none"] * 10)
    assert ledger.cancel(task_ids[3])

    worker = start_worker()

    assert_done_once(ledger, task_ids[:3] + task_ids[4:])
    assert ledger.task(task_ids[3]).status is TaskStatus.CANCELLED
    assert (ledger.starts(task_ids[3]), ledger.effects(task_ids[3])) == ([], (0, 0))
    assert worker.metric("task_skips_total", reason="final") >= 1


def test_who_cancels_a_task_of_a_running_batch_is_told_that_it_has_ended(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    task_ids = submit(ledger, ["wait", "none"])
    start_worker()
    ledger.wait_for_starts(task_ids[0], 1)

    assert not ledger.cancel(task_ids[0])

    assert_done_once(ledger, task_ids)


def test_a_worker_that_dies_in_the_middle_of_a_batch_leaves_nothing_half_done(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    task_ids = submit(ledger, ["none"] * 5 + ["wait"])
    victim = start_worker("victim", VISIBILITY_TIMEOUT_SECONDS="4")
    ledger.wait_for_starts(task_ids[-1], 1)

    victim.kill()
    assert ledger.effects(*task_ids) == (0, 0)
    start_worker("successor", VISIBILITY_TIMEOUT_SECONDS="4")

    assert_done_once(ledger, task_ids)


def test_a_process_that_dies_in_the_middle_of_a_batch_costs_no_attempt(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    # the first waits when it runs alone as well: it is being run when the parent's thread writes of the loss
    task_ids = submit(ledger, ["wait"] + ["none"] * 5, max_attempts=1)
    worker = start_worker()
    [child] = ledger.wait_for_starts(task_ids[0], 1)
    wait_until(lambda: worker.metric("worker_tasks_running") == len(task_ids), "the parent knows of each")

    os.kill(child, signal.SIGKILL)

    assert_done_once(ledger, task_ids)
    assert worker.metric("worker_processes_lost_total") == 1


def test_a_task_that_always_kills_its_process_ends_failed_and_its_neighbours_succeed(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    *good, poison, last = submit(ledger, ["none", "none", "none", "die", "none"], max_attempts=2)

    start_worker()

    assert_done_once(ledger, [*good, last])
    task = ledger.wait_for(poison, TaskStatus.FAILED, 60)
    assert task.attempts == 2
    assert task.error == "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)"


@pytest.mark.parametrize("mishap", ["lose_connection", "roll_back"])
def test_a_batch_whose_transaction_is_lost_takes_effect_task_by_task(
    ledger: Ledger, start_worker: StartWorker, mishap: str
) -> None:
    task_ids = submit(ledger, ["none"] * 4 + [mishap] + ["none"] * 4)

    worker = start_worker()

    assert_done_once(ledger, task_ids)
    assert batches(worker) == []


def test_a_message_that_is_there_twice_is_one_task(ledger: Ledger, start_worker: StartWorker) -> None:
    task_ids = submit(ledger, ["none"] * 4)
    for task_id in task_ids:
        ledger.publish(task_id, QUICK)

    start_worker()

    assert_done_once(ledger, task_ids)
    assert {len(ledger.starts(task_id)) for task_id in task_ids} == {1}
    wait_until(lambda: ledger.redis.llen(ledger.queue) == 0, "no message is left")


def test_a_batch_that_takes_long_takes_effect_in_parts(ledger: Ledger, start_worker: StartWorker) -> None:
    task_ids = submit(ledger, ["none", "wait", "none", "none"])

    worker = start_worker()

    assert_done_once(ledger, task_ids)
    wait_until(lambda: len(batches(worker)) == 4, "each has a line in the log")
    assert batches(worker) == [2, 2, 2, 2]


def test_long_tasks_are_not_hoarded_whatever_waits_behind_them(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    for name in ("one", "other"):
        start_worker(name)

    slow = [ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 4}) for _ in range(2)]
    quick = submit(ledger, ["none"] * 5)

    assert_done_once(ledger, [*slow, *quick])
    assert {ledger.task(task_id).worker for task_id in slow} == {"one", "other"}


def test_a_worker_that_is_stopped_in_order_ends_its_batch(ledger: Ledger, start_worker: StartWorker) -> None:
    task_ids = submit(ledger, ["none", "wait"])
    worker = start_worker(WORKER_SOFT_SHUTDOWN_SECONDS="10")
    ledger.wait_for_starts(task_ids[-1], 1)
    wait_until(lambda: worker.metric("worker_tasks_running") == len(task_ids), "the parent knows of each")

    assert worker.terminate() == 0

    assert [ledger.task(task_id).status for task_id in task_ids] == [TaskStatus.SUCCEEDED] * 2
    assert_done_once(ledger, task_ids)


def test_a_worker_that_freezes_in_the_middle_of_a_batch_lets_go_of_its_rows(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    task_ids = submit(ledger, ["none", "wait"])
    worker = start_worker()
    ledger.wait_for_starts(task_ids[-1], 1)
    frozen = [worker.pid, *worker.children()]
    for pid in frozen:
        os.kill(pid, signal.SIGSTOP)

    try:
        assert ledger.cancel(task_ids[0]), "the server has rolled the batch back"
    finally:
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)

    assert_done_once(ledger, task_ids[1:])
    assert ledger.effects(task_ids[0]) == (0, 0)
