"""How the worker ends, and the signs of life it takes away."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import celery.apps.worker
import pytest
from celery.worker import state

from worker.health import heartbeat_step
from worker.shutdown import GracefulWorker, say_in_json


@pytest.mark.parametrize(("running", "waited"), [({object()}, [25]), (set(), [])])
def test_the_soft_shutdown_waits_only_while_tasks_run(
    monkeypatch: pytest.MonkeyPatch, running: set[object], waited: list[float]
) -> None:
    monkeypatch.setattr(state, "active_requests", running)
    seconds: list[float] = []

    def wait(timeout: float) -> bool:
        seconds.append(timeout)
        return True

    worker = GracefulWorker.__new__(GracefulWorker)
    worker._wait_until_idle = wait
    worker.app = cast("Any", SimpleNamespace(conf=SimpleNamespace(worker_soft_shutdown_timeout=25)))

    assert worker.wait_for_soft_shutdown()

    assert seconds == waited


def test_what_celery_says_to_a_terminal_is_a_line_of_the_log(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(celery.apps.worker, "safe_say", None)
    say_in_json("worker-1")

    vars(celery.apps.worker)["safe_say"]("worker: Cold shutdown (MainProcess)", None)

    said = json.loads(capfd.readouterr().out)
    assert (said["event"], said["replica"]) == ("worker: Cold shutdown (MainProcess)", "worker-1")


def test_the_heartbeat_is_touched_every_second_and_removed_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "heartbeat"
    calls: list[tuple[object, ...]] = []
    entry = SimpleNamespace(cancel=lambda: calls.append(("cancel",)))

    def call_repeatedly(seconds: float, function: object, *, priority: int) -> SimpleNamespace:
        calls.append((seconds, function, priority))
        return entry

    worker = SimpleNamespace(timer=SimpleNamespace(call_repeatedly=call_repeatedly), steps=[])
    step: Any = heartbeat_step(path)(worker)
    step.start(worker)
    assert path.exists()
    assert calls == [(1.0, path.touch, 10)]

    step.terminate(worker)
    step.stop(worker)

    assert not path.exists()
    assert calls[1:] == [("cancel",)]
