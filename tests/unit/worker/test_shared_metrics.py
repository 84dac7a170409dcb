"""Metrics of several processes as one."""

from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest, values

from worker import shared_metrics as shared_metrics_module
from worker.metrics import ParentMetrics
from worker.shared_metrics import PREFIX, process_slot, shared_metrics


def test_the_parent_serves_its_own_numbers() -> None:
    registry = CollectorRegistry()
    metrics = ParentMetrics(lambda: 2)
    registry.register(metrics)
    metrics.processes_lost = 3

    assert registry.get_sample_value("worker_tasks_running") == 2
    assert registry.get_sample_value("worker_processes_lost_total") == 3


def test_the_parent_serves_the_sum_of_its_processes_and_their_predecessors(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    process = SimpleNamespace(index=0)
    monkeypatch.setattr(shared_metrics_module, "current_process", lambda: process)
    with shared_metrics(tmp_path) as registry:
        for slot in (0, 1, 0):
            process.index = slot
            done = Counter("done", "Done", registry=CollectorRegistry())
            done.inc()
        [directory] = tmp_path.iterdir()
        files = sorted(path.name for path in directory.iterdir())
        served = generate_latest(registry).decode()

    assert files == ["counter_0.db", "counter_1.db"], "a successor goes on with the file of its place"
    assert "done_total 3.0" in served
    assert list(tmp_path.iterdir()) == []
    assert values.ValueClass is values.MutexValue


def test_a_process_outside_the_pool_is_the_parent() -> None:
    assert process_slot() == "parent"


def test_files_of_killed_workers_are_removed_and_of_living_ones_kept(tmp_path: Path) -> None:
    dead, living = tmp_path / f"{PREFIX}999999999-x", tmp_path / f"{PREFIX}1-x"
    dead.mkdir()
    living.mkdir()

    with shared_metrics(tmp_path):
        assert not dead.exists()
        assert living.exists()
