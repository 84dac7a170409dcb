"""What a worker has counted stays, whatever becomes of the processes that counted it."""

from pathlib import Path

import pytest

from app.models import TaskStatus
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import OwnProcess

pytestmark = pytest.mark.stack


def files_in(folder: Path) -> list[str]:
    [metrics] = folder.glob("conveyor-metrics-*")
    return sorted(path.name for path in metrics.iterdir())


def test_counts_outlive_the_processes_of_the_pool_and_files_do_not_multiply(
    ledger: Ledger, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker(WORKER_CONCURRENCY="2")

    def run(count: int) -> None:
        payload = {"user_id": ledger.user_id, "seconds": 0.05}
        for task_id in [ledger.submit("slow_product", payload) for _ in range(count)]:
            ledger.wait_for(task_id, TaskStatus.SUCCEEDED)

    def lose_process() -> None:
        ledger.wait_for(ledger.submit("kill_own_process", {}, max_attempts=1), TaskStatus.FAILED)

    run(8)
    lose_process()
    run(8)
    files, processes = files_in(tmp_path), set(worker.children())
    for _ in range(3):
        lose_process()
        run(8)

    assert not processes <= set(worker.children()), "processes were replaced"
    done = {"task": "slow_product", "queue": ledger.queue}
    wait_until(lambda: worker.metric("tasks_total", **done, outcome="succeeded") == 40, "all are counted", 10)
    assert worker.metric("task_duration_seconds_count", **done, outcome="succeeded") == 40
    assert worker.metric("task_accepted_to_done_seconds_count", **done) == 40
    assert worker.metric("task_attempts_sum", **done) == 40
    lost = {"task": "kill_own_process", "queue": ledger.queue}
    assert worker.metric("tasks_total", **lost, outcome="failed") == 4, "the parent speaks for the dead"
    assert worker.metric("task_attempts_count", **lost) == 4
    assert files_in(tmp_path) == files


def test_a_message_that_returns_from_a_dead_worker_is_counted_as_one_that_came_before(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    victim = start_worker("victim", VISIBILITY_TIMEOUT_SECONDS="4")
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 3})
    ledger.wait_for_starts(task_id, 1)

    victim.kill()
    successor = start_worker("successor", VISIBILITY_TIMEOUT_SECONDS="4")

    ledger.wait_for(task_id, TaskStatus.SUCCEEDED, 40)
    returned = {"queue": ledger.queue}
    wait_until(lambda: successor.metric("task_redeliveries_total", **returned) >= 1, "it is counted", 20)


def test_a_worker_that_nobody_asks_measures_nothing_and_works(
    environment: dict[str, str], ledger: Ledger, tmp_path: Path
) -> None:
    own = {
        "REPLICA_NAME": "unasked",
        "WORKER_METRICS_PORT": "0",
        "WORKER_READY_FILE": str(tmp_path / "ready"),
        "WORKER_HEARTBEAT_FILE": str(tmp_path / "heartbeat"),
        "TMPDIR": str(tmp_path),
    }
    with OwnProcess("worker", {**environment, **own}, tmp_path) as worker:
        ledger.wait_for(
            ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0}), TaskStatus.SUCCEEDED
        )

        assert list(tmp_path.glob("conveyor-metrics-*")) == []
        assert worker.terminate() == 0
