"""The worker while Redis or the primary is away."""

import re
import shutil
import signal
from pathlib import Path

import psutil
import pytest
from sqlalchemy.exc import SQLAlchemyError

from app.models import TaskStatus
from stack.supervisor import Stack
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartRelay, StartWorker
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import OwnProcess, OwnWorker, free_port

pytestmark = pytest.mark.stack

MOST_MEMORY_BYTES = 120_000_000


def member_of(ledger: Ledger, stack: Stack) -> str:
    """Return the name of the member that is primary now."""
    with ledger.database.write() as session:
        port = session.connection().exec_driver_sql("SELECT @@port").scalar_one()
    return next(name for name in stack.names if re.fullmatch(r"mysql-\d", name) and stack.ports[name] == port)


def test_tasks_survive_the_loss_of_the_primary(
    stack: Stack, ledger: Ledger, start_worker: StartWorker, start_relay: StartRelay
) -> None:
    start_worker(WORKER_CONCURRENCY="2")
    start_relay()
    task_ids = ledger.accept("slow_product", {"user_id": ledger.user_id, "seconds": 0.2}, count=40)
    wait_until(lambda: ledger.effects(*task_ids)[0] >= 5, "some tasks are done")

    stack.service(member_of(ledger, stack)).kill(signal.SIGKILL)

    def all_are_done() -> bool:
        try:
            return ledger.effects(*task_ids) == (40, 40)
        except SQLAlchemyError:  # as long as there is no primary
            return False

    wait_until(all_are_done, "every task is done once", 90)
    for task_id in task_ids:
        assert ledger.task(task_id).status is TaskStatus.SUCCEEDED


def test_a_message_returns_to_the_queue_while_the_primary_is_away(
    environment: dict[str, str], ledger: Ledger, start_worker: StartWorker
) -> None:
    cut_off = start_worker("cut-off", DB_MASTER_HOST=f"127.0.0.1:{free_port()}")
    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0})
    wait_until(lambda: cut_off.metric("tasks_total", outcome="requeued") >= 1, "the message was returned", 60)
    assert cut_off.terminate() == 0
    assert ledger.redis.llen(environment["TASK_QUEUE"]) >= 1, "a relay may have published it as well"
    assert ledger.task(task_id).attempts == 0

    start_worker("connected")

    assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED).attempts == 1


def test_a_worker_that_waits_for_redis_ends_in_order(environment: dict[str, str], tmp_path: Path) -> None:
    with OwnWorker({**environment, "REDIS_PORT": str(free_port())}, tmp_path) as worker:
        wait_until(lambda: "Cannot connect to redis" in worker.text(), "the worker says what it waits for")

        assert worker.terminate(10) == 0

        assert not worker.ready_file.exists()
        assert worker.events()


def test_a_worker_that_lost_its_metrics_goes_on_working(
    ledger: Ledger, start_worker: StartWorker, tmp_path: Path
) -> None:
    worker = start_worker()
    [folder] = tmp_path.glob("conveyor-metrics-*")
    shutil.rmtree(folder)

    task_id = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 0})

    assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED).attempts == 1
    assert "metrics are not written" in worker.text()


def test_the_parent_stays_small(start_worker: StartWorker) -> None:
    worker = start_worker()

    assert psutil.Process(worker.pid).memory_info().rss < MOST_MEMORY_BYTES


def test_flower_without_a_password_names_the_cure(environment: dict[str, str], tmp_path: Path) -> None:
    with OwnProcess("worker.flower", {**environment, "FLOWER_BASIC_AUTH": ""}, tmp_path) as flower:
        assert flower.wait(30) == 1

        assert "set FLOWER_BASIC_AUTH=user:password" in flower.text()
