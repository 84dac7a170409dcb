"""The relay's loop: what it does in turn, and how it meets outages."""

from typing import TYPE_CHECKING, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry
from pydantic import SecretStr
from redis.exceptions import ConnectionError as RedisConnectionError
from structlog.testing import capture_logs

from app.settings import Settings
from app.tasks.broker import PublishError
from tests.unit.worker.stand_ins import mysql_error
from worker.relay.loop import (
    LONGEST_PAUSE_INTERVALS,
    LONGEST_PAUSE_SECONDS,
    PASSES_PER_RECONCILIATION,
    STALLED_AFTER_SECONDS,
    RelayLoop,
    pause_seconds,
)
from worker.relay.metrics import RelayMetrics

if TYPE_CHECKING:
    from worker.relay.relay import Relay

TWO_MINUTES_SECONDS = 120
PASS = ["publish_new", "reconcile", "observe_redis", "observe_ledger"]


class StandInRelay:
    def __init__(self) -> None:
        self.errors: dict[str, Exception] = {}
        self.steps: list[str] = []

    def _step(self, name: str) -> None:
        self.steps.append(name)
        if name in self.errors:
            raise self.errors[name]

    def publish_new(self) -> None:
        self._step("publish_new")

    def reconcile(self) -> None:
        self._step("reconcile")

    def observe_redis(self) -> None:
        self._step("observe_redis")

    def observe_ledger(self) -> None:
        self._step("observe_ledger")


class Bench:
    def __init__(self) -> None:
        self.now = 0.0
        self.relay = StandInRelay()
        self.registry = CollectorRegistry()
        self.loop = RelayLoop(
            cast("Relay", self.relay), RelayMetrics(self.registry), 0.001, clock=lambda: self.now
        )


@pytest.fixture
def bench() -> Bench:
    return Bench()


def test_every_pass_publishes_and_every_fifth_reconciles(bench: Bench) -> None:
    for _ in range(PASSES_PER_RECONCILIATION + 1):
        bench.loop.turn()

    assert bench.relay.steps.count("publish_new") == 6
    for step in PASS[1:]:
        assert bench.relay.steps.count(step) == 2


@pytest.mark.parametrize(
    "error",
    [PublishError("refused"), RedisConnectionError("refused"), mysql_error(2013)],
    ids=["publish", "redis", "primary"],
)
def test_a_step_that_fails_does_not_keep_the_others_from_their_work(bench: Bench, error: Exception) -> None:
    bench.relay.errors = {"publish_new": error}

    bench.loop.turn()

    assert bench.relay.steps == PASS
    assert bench.registry.get_sample_value("relay_failures_total") == 1


def test_a_reconciliation_that_failed_is_due_at_the_next_pass(bench: Bench) -> None:
    bench.relay.errors = {"reconcile": RedisConnectionError("refused")}
    bench.loop.turn()
    bench.relay.errors = {}

    bench.loop.turn()

    assert bench.relay.steps.count("reconcile") == 2


def test_an_outage_is_looked_at_whenever_it_begins(bench: Bench) -> None:
    for _ in range(2):
        bench.loop.turn()
    bench.relay.errors = {"publish_new": PublishError("refused")}
    bench.loop.turn()
    bench.relay.steps = []

    bench.loop.turn()

    assert bench.relay.steps == PASS


def test_an_outage_is_logged_when_it_begins_and_when_it_ends(bench: Bench) -> None:
    with capture_logs() as logs:
        bench.loop.turn()
        bench.relay.errors = {"publish_new": PublishError("refused")}
        for _ in range(3):
            bench.loop.turn()
        bench.relay.errors = {}
        bench.loop.turn()

    assert [(entry["event"], entry.get("error")) for entry in logs] == [
        ("relay at work", None),
        ("relay held up, going on trying", "PublishError: refused"),
        ("relay at work", None),
    ]


def test_an_error_that_no_waiting_cures_ends_the_relay(bench: Bench) -> None:
    bench.relay.errors = {"publish_new": TypeError("a bug")}

    with pytest.raises(TypeError):
        bench.loop.run()


def test_it_is_ready_when_the_last_pass_succeeded(bench: Bench) -> None:
    assert bench.loop.check_ready() == "no pass has ended yet"
    bench.loop.turn()
    assert bench.loop.check_ready() is None
    bench.relay.errors = {"publish_new": PublishError("refused")}
    bench.loop.turn()
    assert bench.loop.check_ready() == "PublishError: refused"
    assert bench.loop.check_alive() is None, "an outage is no reason to restart it"


def test_it_is_dead_when_no_pass_ends(bench: Bench) -> None:
    bench.loop.turn()
    bench.now = STALLED_AFTER_SECONDS + 1

    assert bench.loop.check_alive() == bench.loop.check_ready() == "no pass has ended for 61 s"


def test_it_ends_after_the_pass_in_which_it_is_told_to(bench: Bench) -> None:
    bench.loop.stop()

    bench.loop.run()

    assert bench.relay.steps == PASS


@given(st.floats(min_value=0.05, max_value=60), st.integers(min_value=0, max_value=10_000))
def test_the_pause_grows_with_failures_within_a_bound(interval: float, failures: int) -> None:
    assert pause_seconds(interval, 0) == interval
    assert interval <= pause_seconds(interval, failures) <= max(interval, LONGEST_PAUSE_SECONDS)
    assert pause_seconds(interval, failures) <= LONGEST_PAUSE_INTERVALS * interval
    assert pause_seconds(interval, failures) <= pause_seconds(interval, failures + 1)


def test_the_task_of_a_dead_worker_is_published_again_within_two_minutes_by_default() -> None:
    settings = Settings(db_password=SecretStr("not used"))
    reconciliation = PASSES_PER_RECONCILIATION * settings.relay_interval_seconds

    assert settings.task_lease_seconds + reconciliation <= TWO_MINUTES_SECONDS
