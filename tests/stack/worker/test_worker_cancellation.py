"""Cancelling and replaying: for good, whatever restarts and whoever is faster."""

import random
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest

from app.models import TaskStatus
from app.tasks.repository import TaskChanges
from stack.supervisor import Stack
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartRelay, StartWorker
from tests.stack.worker.ledger import Ledger

pytestmark = pytest.mark.stack

RACES = 30
SIDES = 8


def test_a_cancelled_task_stays_so_whatever_restarts(
    stack: Stack, ledger: Ledger, start_worker: StartWorker
) -> None:
    cancelled = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0})
    assert ledger.cancel(cancelled)
    stack.restart("redis")
    worker = start_worker()
    ledger.publish(cancelled, "slow_product")
    later = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0})

    ledger.wait_for(later, TaskStatus.SUCCEEDED)

    wait_until(lambda: worker.metric("task_skips_total", reason="final") >= 1, "the message was dropped")
    assert (ledger.task(cancelled).status, ledger.starts(cancelled)) == (TaskStatus.CANCELLED, [])


def test_a_task_that_is_cancelled_before_its_retry_is_not_tried_again(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    start_worker()
    task_id = ledger.submit("fail", {"text": "no luck"}, retry_delay_seconds=2)
    ledger.wait_for(task_id, TaskStatus.RETRYING)

    assert ledger.cancel(task_id)

    time.sleep(4)  # the retry would have been due after 2
    assert len(ledger.starts(task_id)) == 1
    assert ledger.task(task_id).status is TaskStatus.CANCELLED


def test_who_cancels_a_task_that_ends_at_this_moment_is_told_what_came_true(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    start_worker(WORKER_CONCURRENCY="2")
    task_ids = [
        ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0.05}) for _ in range(RACES)
    ]
    cancelled, chance = set(), random.Random(RACES)  # noqa: S311 - spreads, hides nothing
    for task_id in task_ids:
        wait_until(lambda one=task_id: bool(ledger.starts(one)) or _is_final(ledger, one), "it starts")  # type: ignore[misc]
        time.sleep(chance.uniform(0, 0.08))  # around the end of the task
        if ledger.cancel(task_id):
            cancelled.add(task_id)

    wait_until(lambda: all(_is_final(ledger, task_id) for task_id in task_ids), "all have ended")

    time.sleep(1)  # for the last attempt, which has lost its task
    for task_id in task_ids:
        expected = (TaskStatus.CANCELLED, (0, 0)) if task_id in cancelled else (TaskStatus.SUCCEEDED, (1, 1))
        assert (ledger.task(task_id).status, ledger.effects(task_id)) == expected


def test_of_many_who_replay_a_task_at_once_one_does(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker("first")
    task_id = ledger.submit("fail_for_good", {"text": "no"})
    ledger.wait_for(task_id, TaskStatus.FAILED)
    assert worker.terminate() == 0

    assert _all_at_once(lambda: _replay(ledger, task_id)).count(True) == 1

    start_worker("second")
    ledger.wait_for_starts(task_id, 2)
    wait_until(lambda: ledger.task(task_id).status is TaskStatus.FAILED, "it has failed again")
    assert (ledger.task(task_id).attempts, len(ledger.starts(task_id))) == (1, 2)


def test_a_replay_outlives_the_loss_of_redis(
    ledger: Ledger, start_worker: StartWorker, start_relay: StartRelay
) -> None:
    start_worker()
    task_id = ledger.submit("fail_for_good", {"text": "no"})
    ledger.wait_for(task_id, TaskStatus.FAILED)

    assert _replay(ledger, task_id)  # and whoever should have published it is gone
    start_relay()

    ledger.wait_for_starts(task_id, 2)


@pytest.mark.parametrize("status", [TaskStatus.SUCCEEDED, TaskStatus.CANCELLED, TaskStatus.QUEUED])
def test_only_what_has_failed_is_replayed(ledger: Ledger, status: TaskStatus) -> None:
    [task_id] = ledger.accept("fail", {"text": ""}, status=status)

    assert not _replay(ledger, task_id)


def _is_final(ledger: Ledger, task_id: str) -> bool:
    return ledger.task(task_id).status.is_final


def _replay(ledger: Ledger, task_id: str) -> bool:
    with ledger.database.write() as session:
        replayed = TaskChanges(session).requeue_failed(task_id)
        session.commit()
        return replayed


def _all_at_once(call: Callable[[], bool]) -> list[bool]:
    together = Barrier(SIDES)

    def wait_and_call(_: int) -> bool:
        together.wait(10)
        return call()

    with ThreadPoolExecutor(SIDES) as pool:
        return list(pool.map(wait_and_call, range(SIDES)))
