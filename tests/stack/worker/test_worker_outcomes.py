"""How attempts end: retries, failures, time limits and cancellation."""

import pytest

from app.models import TaskStatus
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger

pytestmark = pytest.mark.stack


def test_a_failing_task_is_tried_four_times_with_the_delay_between(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker()
    task_id = ledger.submit("fail", {"text": "no luck"}, retry_delay_seconds=1)

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert task.attempts == 4
    assert task.error == "ValueError: no luck"
    assert len(ledger.starts(task_id)) == 4
    assert task.finished_at is not None
    assert (task.finished_at - task.created_at).total_seconds() >= 3
    assert task.lease_owner is None
    assert worker.metric("task_retries_total", task="fail") == 3
    assert worker.metric("tasks_total", task="fail", outcome="failed") == 1


def test_a_failure_for_good_is_not_retried(ledger: Ledger, start_worker: StartWorker) -> None:
    start_worker()
    task_id = ledger.submit("fail_for_good", {"text": "there is no such thing"})

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert (task.attempts, task.error) == (1, "there is no such thing")


def test_a_payload_that_does_not_fit_any_more_is_not_retried(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    start_worker()
    task_id = ledger.submit("fail", {"words": "old"})

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert task.attempts == 1
    assert task.error == "the payload does not fit the task any more: text: Field required"


def test_an_unknown_user_fails_at_once(ledger: Ledger, start_worker: StartWorker) -> None:
    start_worker()
    task_id = ledger.submit("create_product_from_user", {"user_id": 999_999})

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert (task.attempts, task.error) == (1, "there is no user 999999")


def test_a_task_that_overruns_is_interrupted_and_retried(ledger: Ledger, start_worker: StartWorker) -> None:
    start_worker()
    task_id = ledger.submit("overrun", {}, max_attempts=2)

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert task.attempts == 2
    assert task.error == "SoftTimeLimitExceeded: the task ran longer than its time limit allows"
    first, second = ledger.starts(task_id)
    assert first == second, "the process survives the soft limit"


def test_a_task_that_ignores_the_interruption_is_killed(ledger: Ledger, start_worker: StartWorker) -> None:
    start_worker()
    task_id = ledger.submit("overrun_stubbornly", {}, max_attempts=2)

    task = ledger.wait_for(task_id, TaskStatus.FAILED)

    assert task.attempts == 2
    assert task.error is not None
    assert task.error.startswith("TimeLimitExceeded: killed after 3 s")
    first, second = ledger.starts(task_id)
    assert first != second, "the process does not survive the hard limit"


def test_a_cancelled_task_stops_at_its_next_checkpoint(ledger: Ledger, start_worker: StartWorker) -> None:
    worker = start_worker()
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 20, "checkpoints": True})
    ledger.wait_for_starts(task_id, 1)

    assert ledger.cancel(task_id)

    wait_until(lambda: worker.metric("tasks_total", outcome="cancelled") == 1, "the attempt ended", 10)
    assert ledger.task(task_id).status is TaskStatus.CANCELLED
    assert ledger.effects(task_id) == (0, 0)


def test_a_cancelled_task_without_checkpoints_has_no_effect(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    worker = start_worker()
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 2})
    ledger.wait_for_starts(task_id, 1)

    assert ledger.cancel(task_id)

    wait_until(lambda: worker.metric("tasks_total", outcome="cancelled") == 1, "the attempt ended", 10)
    assert ledger.effects(task_id) == (0, 0)


def test_a_message_that_comes_twice_runs_once(ledger: Ledger, start_worker: StartWorker) -> None:
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 1})
    ledger.publish(task_id, "slow_product")
    ledger.publish(task_id, "slow_product")
    worker = start_worker(WORKER_CONCURRENCY="2")

    ledger.wait_for(task_id, TaskStatus.SUCCEEDED)

    wait_until(lambda: worker.metric("task_skips_total") >= 2, "both repeats were skipped", 10)
    assert worker.metric("task_skips_total", reason="running_elsewhere") >= 1
    assert len(ledger.starts(task_id)) == 1
    assert ledger.effects(task_id) == (1, 1)


def test_a_connection_test_reports_both_neighbours(ledger: Ledger, start_worker: StartWorker) -> None:
    start_worker()
    task_id = ledger.submit("test_worker_connection", {})

    result = ledger.wait_for(task_id, TaskStatus.SUCCEEDED).result

    assert result is not None
    assert (result["worker"], result["database_role"]) == ("own-worker", "primary")
    assert 0 < result["redis_round_trip_ms"] < 2000
    assert 0 < result["database_round_trip_ms"] < 10_000
