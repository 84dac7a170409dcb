"""Pools of workers that are apart."""

import pytest

from app.models import TaskStatus
from app.tasks.broker import Message
from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.ledger import Ledger

pytestmark = pytest.mark.stack


def test_a_task_waits_for_a_worker_that_takes_from_its_queue(
    ledger: Ledger, start_worker: StartWorker
) -> None:
    start_worker(WORKER_QUEUES=ledger.queue)
    [apart] = ledger.accept("elsewhere", {}, queue="elsewhere")
    ledger.broker.publish([Message(apart, "elsewhere", "elsewhere")])
    usual = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0})

    ledger.wait_for(usual, TaskStatus.SUCCEEDED)
    assert ledger.task(apart).status is TaskStatus.QUEUED

    start_worker("other", WORKER_QUEUES="elsewhere")
    assert ledger.wait_for(apart, TaskStatus.SUCCEEDED).worker == "other"
