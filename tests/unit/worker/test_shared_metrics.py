"""Metrics of several processes as one."""

import fcntl
import os
import tempfile
from pathlib import Path
from types import SimpleNamespace

import pytest
from prometheus_client import CollectorRegistry, Counter, generate_latest, values

from app.attempts.lifecycle import SkipReason
from worker import shared_metrics as shared_metrics_module
from worker.metrics import Kind, ParentMetrics, TaskMetrics
from worker.outcome import Outcome
from worker.shared_metrics import PREFIX, process_slot, shared_metrics


def test_the_parent_serves_its_own_numbers() -> None:
    registry = CollectorRegistry()
    echo, other = Kind("echo", "default"), Kind("other", "slow")
    metrics = ParentMetrics(lambda: ["echo", "echo"], [echo, other])
    registry.register(metrics)
    metrics.processes_lost = 3

    assert registry.get_sample_value("worker_tasks_running", echo._asdict()) == 2
    assert registry.get_sample_value("worker_tasks_running", other._asdict()) == 0
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


def test_every_counter_is_there_before_it_counts_something() -> None:
    registry, echo = CollectorRegistry(), Kind("echo", "default")
    TaskMetrics(registry, [echo])

    assert registry.get_sample_value("tasks_total", {**echo._asdict(), "outcome": "failed"}) == 0
    assert registry.get_sample_value("task_retries_total", echo._asdict()) == 0
    assert registry.get_sample_value("task_redeliveries_total", {"queue": "default"}) == 0
    assert registry.get_sample_value("task_skips_total", {"reason": "final"}) == 0


def test_nothing_is_measured_where_nobody_can_ask() -> None:
    registry, echo = CollectorRegistry(), Kind("echo", "default")
    metrics = TaskMetrics(registry, [echo], is_on=False)
    metrics.ended(echo, Outcome.SUCCEEDED, 1)
    metrics.skipped(SkipReason.FINAL)

    assert [sample for family in registry.collect() for sample in family.samples if sample.labels] == []


def test_a_process_outside_the_pool_is_the_parent() -> None:
    assert process_slot() == "parent"


def test_files_of_dead_workers_are_removed_and_of_living_ones_kept(tmp_path: Path) -> None:
    dead, living = tmp_path / f"{PREFIX}dead", tmp_path / f"{PREFIX}living"
    dead.mkdir()
    living.mkdir()
    held = os.open(living, os.O_RDONLY)
    fcntl.flock(held, fcntl.LOCK_EX)

    with shared_metrics(tmp_path):
        assert not dead.exists()
        assert living.exists()
    os.close(held)


def test_a_folder_removed_before_it_was_locked_is_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    remove_once = [True]

    def flock(_descriptor: int, operation: int) -> None:
        if operation == fcntl.LOCK_EX and remove_once:
            remove_once.pop()
            for directory in tmp_path.iterdir():
                directory.rmdir()

    monkeypatch.setattr(fcntl, "flock", flock)

    with shared_metrics(tmp_path):
        assert len(list(tmp_path.iterdir())) == 1


def test_a_folder_removed_before_it_was_opened_is_made_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    make, remove_once = tempfile.mkdtemp, [True]

    def mkdtemp(prefix: str, dir: Path) -> str:  # noqa: A002 - the library's name
        made = make(prefix=prefix, dir=dir)
        if remove_once:
            remove_once.pop()
            Path(made).rmdir()
        return made

    monkeypatch.setattr(tempfile, "mkdtemp", mkdtemp)

    with shared_metrics(tmp_path):
        assert len(list(tmp_path.iterdir())) == 1


def test_a_place_where_no_folder_lasts_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def flock(_descriptor: int, _operation: int) -> None:
        for directory in tmp_path.iterdir():
            directory.rmdir()

    monkeypatch.setattr(fcntl, "flock", flock)

    with pytest.raises(RuntimeError, match="set TMPDIR"), shared_metrics(tmp_path):
        pass


def test_what_cannot_be_opened_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / f"{PREFIX}foreign"
    foreign.touch()

    with shared_metrics(tmp_path):
        assert foreign.exists()
