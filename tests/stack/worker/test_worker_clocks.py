"""Hosts whose clocks are a minute apart: the leases hold, and what a dead one leaves is found."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from app.models import TaskStatus
from tests.stack.waiting import wait_until
from tests.stack.worker.conftest import StartRelay, StartWorker
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import free_port

pytestmark = pytest.mark.stack

LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"
FOUND = find_spec("libfaketime")
AHEAD, BEHIND = 30, -30


def clock(seconds: int) -> dict[str, str]:
    """Return the environment of a process whose wall clock is wrong by so much."""
    if FOUND is None or FOUND.origin is None:
        pytest.skip("libfaketime has no build for this machine")
    return {
        "LD_PRELOAD": str(Path(FOUND.origin).parent / LIBRARY),
        "FAKETIME": f"{seconds:+d}s",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def test_workers_and_relays_whose_clocks_are_a_minute_apart_do_each_task_once(
    ledger: Ledger, start_worker: StartWorker, start_relay: StartRelay
) -> None:
    times = {"VISIBILITY_TIMEOUT_SECONDS": "8", "TASK_REDELIVERY_SECONDS": "80"}
    for seconds in (AHEAD, BEHIND):
        start_relay(RELAY_METRICS_PORT=str(free_port()), **times, **clock(seconds))
    workers = {
        "ahead": start_worker("ahead", **times, **clock(AHEAD)),
        "behind": start_worker("behind", **times, **clock(BEHIND)),
    }
    long = [ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 12}) for _ in range(2)]

    for task_id in long:
        assert ledger.wait_for(task_id, TaskStatus.SUCCEEDED, 60).attempts == 1
    assert [len(ledger.starts(task_id)) for task_id in long] == [1, 1]
    assert [worker.metric("task_skips_total") for worker in workers.values()] == [0, 0]

    orphan = ledger.submit("slow_product", {"user_id": ledger.user_id, "seconds": 6})
    ledger.wait_for_starts(orphan, 1)
    workers[str(ledger.task(orphan).worker)].kill()
    wait_until(lambda: len(ledger.starts(orphan)) == 2, "the other one takes it over", 30)
    task = ledger.wait_for(orphan, TaskStatus.SUCCEEDED)
    assert task.attempts == 2
    assert task.started_at is not None
    assert task.started_at >= task.available_at
    assert ledger.effects(*long, orphan) == (3, 3)
