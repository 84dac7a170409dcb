"""The thread that keeps leases: what it writes, and what it does while the primary is away."""

from collections.abc import Iterator
from dataclasses import replace
from typing import TYPE_CHECKING, cast

import pytest
from prometheus_client import CollectorRegistry
from structlog.testing import capture_logs

from tests.unit.worker.stand_ins import ATTEMPT, StandInLedger, mysql_error
from worker.delivery import attempt_leases
from worker.delivery.attempt_leases import AttemptLeases
from worker.fork_guard import ForkGuard
from worker.metrics import ParentMetrics, TaskMetrics

if TYPE_CHECKING:
    from app.database.routing import Database

GONE = 2013


class Bench:
    def __init__(self) -> None:
        self.ledger = StandInLedger()
        self.running: list[str] = []
        self.metrics = ParentMetrics(lambda: self.running, [])
        self.registry = CollectorRegistry()
        self.leases = AttemptLeases(
            cast("Database", self.ledger),
            ATTEMPT.owner,
            60,
            lambda: self.running,
            self.metrics,
            tasks=TaskMetrics(self.registry),
            guard=ForkGuard(),
        )


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    bench = Bench()
    monkeypatch.setattr(attempt_leases, "AttemptRepository", bench.ledger.repository)
    monkeypatch.setattr(attempt_leases, "TICK_SECONDS", 0.01)
    yield bench
    bench.leases.stop()


def test_running_tasks_are_renewed(bench: Bench) -> None:
    bench.running = ["a", "b"]

    bench.leases.renew()

    assert bench.ledger.calls == [("renew", ("a", "b"), 60)]
    assert bench.ledger.commits == 1
    assert bench.metrics.lease_renewals == 1


def test_an_idle_worker_leaves_the_primary_alone(bench: Bench) -> None:
    bench.leases.renew()

    assert bench.ledger.calls == []


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(bench: Bench) -> None:
    bench.running = ["a"]
    bench.ledger.script.record = [mysql_error(GONE), mysql_error(GONE), None]

    with capture_logs() as logs:
        for _ in range(4):
            bench.leases.renew()

    assert [entry["event"] for entry in logs] == [
        "leases not renewed, going on trying",
        "leases renewed again",
    ]
    assert (bench.metrics.lease_renewal_failures, bench.metrics.lease_renewals) == (2, 2)


@pytest.mark.parametrize(("max_attempts", "record"), [(4, "retry_later"), (1, "fail")])
def test_a_lost_process_is_recorded_by_the_thread(bench: Bench, max_attempts: int, record: str) -> None:
    bench.ledger.held = replace(ATTEMPT, max_attempts=max_attempts)
    bench.leases.start()

    bench.leases.report_lost(ATTEMPT.task_id, "killed")

    assert bench.ledger.recorded.wait(5), "the thread wrote nothing"
    assert (record, "killed") in bench.ledger.calls
    assert bench.metrics.processes_lost == 1


def test_a_lost_process_that_held_no_attempt_is_counted_alone(bench: Bench) -> None:
    bench.ledger.held = ATTEMPT
    bench.leases.report_lost(ATTEMPT.task_id, "killed", held_attempt=False)

    bench.leases._take_reports()
    bench.leases.renew()

    assert bench.metrics.processes_lost == 1
    assert bench.ledger.calls == []


@pytest.mark.parametrize(("max_attempts", "outcome"), [(4, "retrying"), (1, "failed")])
def test_a_lost_process_counts_as_the_end_of_an_attempt_once_that_is_recorded(
    bench: Bench, max_attempts: int, outcome: str
) -> None:
    echo = {"task": ATTEMPT.name, "queue": ATTEMPT.queue}
    bench.ledger.held = replace(ATTEMPT, max_attempts=max_attempts)
    bench.ledger.script.record = [None, mysql_error(GONE)]
    bench.leases.report_lost(ATTEMPT.task_id, "killed")
    bench.leases._take_reports()

    bench.leases.renew()
    assert bench.registry.get_sample_value("tasks_total", {**echo, "outcome": outcome}) is None

    bench.leases.renew()
    bench.leases.renew()
    assert bench.registry.get_sample_value("tasks_total", {**echo, "outcome": outcome}) == 1
    failed = outcome == "failed"
    assert bench.registry.get_sample_value("task_attempts_sum", echo) == (1 if failed else None)
    assert bench.registry.get_sample_value("task_retries_total", echo) == (None if failed else 1)


def test_a_lost_process_that_had_finished_changes_nothing(bench: Bench) -> None:
    bench.ledger.held = None
    bench.leases.report_lost(ATTEMPT.task_id, "killed")
    bench.leases.start()

    bench.running = []
    assert bench.leases.wait_until_idle(5)

    assert not {"retry_later", "fail"} & set(bench.ledger.names())


def test_draining_ends_when_the_last_task_has_ended(bench: Bench) -> None:
    bench.running = ["a"]
    bench.leases.start()
    assert not bench.leases.wait_until_idle(0.2)

    bench.ledger.is_held = False

    assert bench.leases.wait_until_idle(5)


def test_a_primary_that_is_away_is_no_proof_of_idleness(bench: Bench) -> None:
    bench.running = ["a"]
    bench.ledger.script.record = [mysql_error(GONE)] * 1000
    bench.leases.start()

    assert not bench.leases.wait_until_idle(0.2)


def test_stopping_gives_back_what_is_left_and_says_which_tasks(bench: Bench) -> None:
    bench.leases.start()

    with capture_logs() as logs:
        bench.leases.stop()

    assert ("release", ATTEMPT.owner) in bench.ledger.calls
    assert [(line["event"], line["task_id"]) for line in logs] == [("attempt given back", ATTEMPT.task_id)]


def test_stopping_without_the_primary_leaves_the_tasks_to_their_leases(bench: Bench) -> None:
    bench.ledger.script.record = [mysql_error(GONE)]

    with capture_logs() as logs:
        bench.leases.stop()

    assert [entry["event"] for entry in logs] == ["unfinished tasks wait for their leases to run out"]
