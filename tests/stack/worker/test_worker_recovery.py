"""Whatever dies in the middle of a task, its effect happens exactly once."""

import os
import signal

import psutil
import pytest

from app.models import TaskStatus
from app.outbox.repository import OutboxRepository
from stack.supervisor import Stack
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartRelay, StartWorker
from tests.stack.worker.ledger import Ledger

pytestmark = pytest.mark.stack

BUSY_MACHINE_SECONDS = 8


def test_a_task_survives_the_kill_of_its_worker(ledger: Ledger, start_worker: StartWorker) -> None:
    victim = start_worker("victim")
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 3})
    ledger.wait_for_starts(task_id, 1)

    victim.kill()
    start_worker("successor")

    task = ledger.wait_for(task_id, TaskStatus.SUCCEEDED)
    assert task.worker == "successor"
    assert task.attempts == 2
    assert ledger.effects(task_id) == (1, 1)


def test_the_children_of_a_killed_worker_die_with_it(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker()
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 60})
    [child] = ledger.wait_for_starts(task_id, 1)

    worker.kill()

    wait_until(lambda: not psutil.pid_exists(child), "the child is gone", deadline_seconds=5)
    assert ledger.effects(task_id) == (0, 0)


def test_a_task_survives_the_kill_of_its_process(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker()
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 2})
    [child] = ledger.wait_for_starts(task_id, 1)
    # until then a loss shows only when the lease runs out
    wait_until(lambda: worker.metric("worker_tasks_running") == 1, "the parent knows that the task runs")

    os.kill(child, signal.SIGKILL)

    wait_until(lambda: ledger.task(task_id).status is TaskStatus.RETRYING, "the loss is in the ledger", 20)
    assert ledger.task(task_id).error == "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)"
    task = ledger.wait_for(task_id, TaskStatus.SUCCEEDED)
    assert task.attempts == 2
    assert ledger.effects(task_id) == (1, 1)
    assert worker.metric("worker_processes_lost_total") == 1


def test_a_task_that_always_kills_its_process_ends_failed_with_the_reason(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    start_worker()
    task_id = ledger.submit("kill_own_process", {}, max_attempts=3)

    task = ledger.wait_for(task_id, TaskStatus.FAILED, deadline_seconds=60)

    assert task.attempts == 3
    assert task.error == "WorkerLostError: Worker exited prematurely: signal 9 (SIGKILL)"
    assert len(ledger.starts(task_id)) == 3


def test_a_task_whose_workers_always_die_ends_failed_with_the_reason(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 60}, max_attempts=1)
    victim = start_worker("victim")
    ledger.wait_for_starts(task_id, 1)

    victim.kill()
    start_worker("successor")

    task = ledger.wait_for(task_id, TaskStatus.FAILED)
    assert task.error == "its worker died or fell silent in each of 1 attempts"
    assert ledger.effects(task_id) == (0, 0)


def test_a_task_that_always_kills_its_worker_ends_failed_with_the_reason(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    task_id = ledger.submit("kill_own_worker", {}, max_attempts=2)
    for name in ("first", "second"):
        assert start_worker(name).wait(60) == -signal.SIGKILL
    start_worker("third")

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert (task.attempts, len(ledger.starts(task_id))) == (2, 2)
    assert task.error == "its worker died or fell silent in each of 2 attempts"


def test_the_task_of_a_dead_worker_starts_again_when_its_lease_and_a_pass_of_the_relay_are_over(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    workers = {name: start_worker(name, TASK_LEASE_SECONDS="3") for name in ("one", "other")}
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 5})
    ledger.wait_for_starts(task_id, 1)
    victim = ledger.task(task_id).worker

    workers[str(victim)].kill()

    seconds = wait_until(lambda: len(ledger.starts(task_id)) == 2, "it starts again", 30)
    assert seconds < 3 + 5 * 0.2 + BUSY_MACHINE_SECONDS
    task = ledger.wait_for(task_id, TaskStatus.SUCCEEDED)
    assert (task.worker != victim, task.attempts) == (True, 2)
    assert ledger.effects(task_id) == (1, 1)


def test_tasks_survive_the_loss_of_everything_in_redis(
    ledger: Ledger, start_worker: StartWorker, start_relay: StartRelay
) -> None:
    task_ids = [
        ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0.01}) for _ in range(20)
    ]
    with ledger.database.write() as session:
        OutboxRepository(session).mark_published(task_ids)
        session.commit()
    ledger.redis.flushall()
    assert ledger.redis.llen(ledger.queue) == 0

    start_worker()
    start_relay()

    for task_id in task_ids:
        ledger.wait_for(task_id, TaskStatus.SUCCEEDED, deadline_seconds=40)
    assert ledger.effects(*task_ids) == (20, 20)


def test_a_long_task_keeps_its_lease(ledger: Ledger, start_worker: StartWorker) -> None:
    start_worker("first")
    start_worker("second")
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 9})

    task = ledger.wait_for(task_id, TaskStatus.SUCCEEDED)

    assert task.attempts == 1
    assert len(ledger.starts(task_id)) == 1


def test_a_long_task_keeps_its_message(ledger: Ledger, start_worker: StartWorker) -> None:
    workers = [start_worker(name, VISIBILITY_TIMEOUT_SECONDS="4") for name in ("first", "second")]
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 12})

    ledger.wait_for(task_id, TaskStatus.SUCCEEDED)

    assert len(ledger.starts(task_id)) == 1
    assert [worker.metric("task_skips_total") for worker in workers] == [0, 0]


def test_a_long_task_is_run_once_across_a_restart_of_redis(
    stack: Stack, ledger: Ledger, start_worker: StartWorker
) -> None:
    workers = [start_worker(name, VISIBILITY_TIMEOUT_SECONDS="6") for name in ("first", "second")]
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 15})
    ledger.wait_for_starts(task_id, 1)

    stack.restart("redis")

    assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED, 40).attempts == 1
    assert len(ledger.starts(task_id)) == 1
    assert all(worker.is_running for worker in workers)


def test_a_worker_outlives_a_restart_of_redis(
    stack: Stack, ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker()
    running = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 6})
    ledger.wait_for_starts(running, 1)

    stack.restart("redis")

    assert ledger.wait_for(running, TaskStatus.SUCCEEDED).attempts == 1
    before = worker.heartbeat_file.stat().st_mtime
    wait_until(lambda: worker.heartbeat_file.stat().st_mtime > before, "the heart beats on", 20)
    later = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0.01})
    ledger.wait_for(later, TaskStatus.SUCCEEDED)
    assert ledger.effects(running, later) == (2, 2)
    assert worker.is_running
