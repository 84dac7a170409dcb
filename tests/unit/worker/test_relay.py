"""One pass of the relay, with stand-ins for the outbox, Redis and the broker."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from math import isnan
from typing import TYPE_CHECKING, cast

import pytest
from prometheus_client import CollectorRegistry
from redis.exceptions import ConnectionError as RedisConnectionError
from sqlalchemy.exc import OperationalError

from app.cluster.service import ALIVE_SECONDS
from app.models import Backup
from app.outbox.repository import Backlog
from app.tasks.broker import Message, PublishError
from app.tasks.queues import NEVER, QueueState, published_at
from tests.unit.worker.stand_ins import mysql_error
from worker.relay import relay as relay_module
from worker.relay.metrics import RelayMetrics
from worker.relay.redis_metrics import RedisMetrics
from worker.relay.relay import MOST_BATCHES_PER_PASS, Relay

if TYPE_CHECKING:
    from app.database.routing import Database
    from app.tasks.broker import Broker
    from app.tasks.queues import QueueInspector

OLDEST = datetime(2026, 1, 2, tzinfo=UTC)
MESSAGE = '{"headers": {"enqueued_at": 1767312000.0}}'


class StandIns:
    """Outbox, database, broker and inspector in one; rows are handed out in batches."""

    def __init__(self) -> None:
        self.unpublished = 0
        self.overdue: dict[str, int] = {}
        self.abandoned = 0
        self.backup: Backup | None = None
        self.calls: list[tuple[object, ...]] = []
        self.marked = self.commits = 0
        self.error: Exception | None = None
        self.away: Exception | None = None

    @contextmanager
    def write(self) -> Iterator["StandIns"]:
        if self.away:
            raise self.away
        yield self

    def commit(self) -> None:
        self.commits += 1

    def lock_unpublished(self, min_age_seconds: float, limit: int) -> Sequence[Message]:
        self.calls.append(("lock_unpublished", min_age_seconds))
        batch = min(limit, self.unpublished)
        self.unpublished -= batch
        return messages(batch)

    def lock_overdue(self, queue: str, oldest: datetime | None, age: float, limit: int) -> Sequence[Message]:
        self.calls.append(("lock_overdue", queue, oldest, age))
        return messages(min(limit, self.overdue.get(queue, 0)))

    def lock_abandoned(
        self, oldest: Mapping[str, datetime | None], age: float, limit: int
    ) -> Sequence[Message]:
        self.calls.append(("lock_abandoned", oldest, age))
        return messages(min(limit, self.abandoned))

    def mark_published(self, task_ids: Sequence[str]) -> None:
        self.marked += len(task_ids)

    def backlog(self) -> Backlog:
        return Backlog(3, 1.5)

    def newest(self) -> Backup | None:
        return self.backup

    def publish(self, batch: Sequence[Message]) -> None:
        if self.error:
            raise self.error
        self.calls.append(("publish", len(batch)))

    def inspect(self, queue: str) -> QueueState:
        if self.error:
            raise self.error
        return QueueState(2, OLDEST) if queue == "busy" else QueueState(0, None)

    def unacknowledged(self) -> int:
        return 4

    def info(self) -> dict[str, object]:
        return {
            "used_memory": 1000,
            "maxmemory": 2000,
            "aof_enabled": 1,
            "aof_last_write_status": "ok",
            "aof_last_bgrewrite_status": "ok",
            "aof_rewrite_in_progress": 0,
            "aof_current_size": 300,
            "connected_clients": 12,
            "uptime_in_seconds": 60,
            "evicted_keys": 7,
        }


def messages(count: int) -> list[Message]:
    return [Message(f"task-{number}", "echo", "busy") for number in range(count)]


class Bench:
    def __init__(self) -> None:
        self.parts = StandIns()
        self.registry = CollectorRegistry()
        self.silences: dict[str, float] = {}
        self.relay = Relay(
            cast("Database", self.parts),
            cast("Broker", self.parts),
            cast("QueueInspector", self.parts),
            RelayMetrics(self.registry),
            queues=["busy", "empty"],
            batch_size=10,
            min_age_seconds=1,
            redelivery_seconds=120,
            silences=lambda: self.silences,
        )

    def metric(self, name: str, **labels: str) -> float | None:
        return self.registry.get_sample_value(name, labels)


@pytest.fixture
def bench(monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(relay_module, "OutboxRepository", lambda session: session)
    monkeypatch.setattr(relay_module, "BacklogRepository", lambda session: session)
    monkeypatch.setattr(relay_module, "BackupRepository", lambda session: session)
    return Bench()


def test_a_queue_whose_next_message_does_not_say_when_it_was_published_has_no_age() -> None:
    RelayMetrics(registry := CollectorRegistry()).show_queue("busy", QueueState(1, NEVER), datetime.now(UTC))
    assert registry.get_sample_value("queue_depth", {"queue": "busy"}) == 1
    assert registry.get_sample_value("queue_oldest_age_seconds", {"queue": "busy"}) == 0


def test_full_batches_are_followed_by_another(bench: Bench) -> None:
    bench.parts.unpublished = 25

    assert bench.relay.publish_new() == 25

    assert [call for call in bench.parts.calls if call[0] == "publish"] == [
        ("publish", 10),
        ("publish", 10),
        ("publish", 5),
    ]
    assert (bench.parts.marked, bench.parts.commits) == (25, 3)


def test_one_pass_is_bounded_however_long_the_backlog(bench: Bench) -> None:
    bench.parts.unpublished = 1_000_000

    assert bench.relay.publish_new() == 10 * MOST_BATCHES_PER_PASS


def test_nothing_to_do_writes_nothing(bench: Bench) -> None:
    assert bench.relay.publish_new() == bench.relay.reconcile() == 0

    assert (bench.parts.marked, bench.parts.commits) == (0, 0)


def test_what_redis_did_not_take_is_not_marked(bench: Bench) -> None:
    bench.parts.unpublished = 5
    bench.parts.error = PublishError("refused")

    with pytest.raises(PublishError):
        bench.relay.publish_new()

    assert (bench.parts.marked, bench.parts.commits) == (0, 0)


def test_each_queue_is_reconciled_by_its_oldest_message(bench: Bench) -> None:
    bench.parts.overdue, bench.parts.abandoned = {"busy": 2, "empty": 1}, 4
    a_minute_before = OLDEST - timedelta(seconds=60)

    assert bench.relay.reconcile() == 7

    assert [call for call in bench.parts.calls if call[0] != "publish"] == [
        ("lock_abandoned", {"busy": a_minute_before, "empty": None}, 120),
        ("lock_overdue", "busy", a_minute_before, 120),
        ("lock_overdue", "empty", None, 120),
    ]
    assert bench.metric("tasks_republished_total", reason="unstarted") == 3
    assert bench.metric("tasks_republished_total", reason="abandoned") == 4


def test_a_look_brings_every_gauge_up_to_date(bench: Bench) -> None:
    bench.relay.observe_redis()
    bench.relay.observe_ledger()

    assert bench.metric("queue_depth", queue="busy") == 2
    assert (bench.metric("queue_oldest_age_seconds", queue="busy") or 0) > 0
    assert bench.metric("queue_oldest_age_seconds", queue="empty") == 0
    assert bench.metric("unacked_depth") == 4
    assert (bench.metric("outbox_pending"), bench.metric("outbox_oldest_age_seconds")) == (3, 1.5)
    assert (bench.metric("redis_up"), bench.metric("redis_aof_last_write_ok")) == (1, 1)
    assert (bench.metric("redis_memory_used_bytes"), bench.metric("redis_memory_max_bytes")) == (1000, 2000)
    assert bench.metric("redis_evicted_keys_total") == 7
    assert (bench.metric("redis_connected_clients"), bench.metric("redis_uptime_seconds")) == (12, 60)
    assert (bench.metric("redis_aof_enabled"), bench.metric("redis_aof_size_bytes")) == (1, 300)
    assert bench.metric("redis_aof_rewrite_in_progress") == 0
    assert bench.metric("redis_aof_last_rewrite_ok") == 1


def test_a_relay_that_lost_its_database_does_not_go_on_about_what_waited_then(bench: Bench) -> None:
    bench.relay.observe_ledger()
    bench.parts.away = mysql_error(2003)

    with pytest.raises(OperationalError):
        bench.relay.observe_ledger()

    assert isnan(bench.metric("outbox_pending") or 0)
    assert isnan(bench.metric("outbox_oldest_age_seconds") or 0)


def test_a_redis_without_an_append_only_file_has_none_of_any_size() -> None:
    registry, metrics = CollectorRegistry(), RedisMetrics()
    registry.register(metrics)

    metrics.show({"aof_enabled": 0, "aof_last_write_status": "err"})

    assert registry.get_sample_value("redis_up") == 1
    assert registry.get_sample_value("redis_aof_last_write_ok") == 0
    assert registry.get_sample_value("redis_aof_size_bytes") == 0


def test_workers_are_shown_until_they_are_forgotten(bench: Bench) -> None:
    bench.silences = {"worker-1": 1.5, "worker-2": ALIVE_SECONDS + 1}
    bench.relay.observe_redis()
    assert bench.metric("workers_alive") == 1
    assert bench.metric("worker_heartbeat_age_seconds", worker="worker-1") == 1.5
    assert bench.metric("worker_heartbeat_age_seconds", worker="worker-2") == ALIVE_SECONDS + 1

    bench.silences = {"worker-1": 0.5}
    bench.relay.observe_redis()
    assert bench.metric("worker_heartbeat_age_seconds", worker="worker-2") is None


def test_what_was_never_lost_is_shown_as_not_lost(bench: Bench) -> None:
    assert bench.metric("tasks_republished_total", reason="unstarted") == 0
    assert bench.metric("tasks_republished_total", reason="abandoned") == 0


def test_the_last_backup_is_shown_and_its_absence_too(bench: Bench) -> None:
    bench.relay.observe_ledger()
    assert bench.metric("backup_last_success_timestamp_seconds") == 0
    bench.parts.backup = Backup(name="a", taken_at=OLDEST, bytes=7)
    bench.relay.observe_ledger()
    assert bench.metric("backup_last_success_timestamp_seconds") == OLDEST.timestamp()
    assert bench.metric("backup_last_success_bytes") == 7


def test_a_redis_that_does_not_answer_shows_as_down(bench: Bench) -> None:
    bench.relay.observe_redis()
    bench.parts.error = RedisConnectionError("refused")

    with pytest.raises(RedisConnectionError):
        bench.relay.observe_redis()

    assert bench.metric("redis_up") == 0


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (None, None),
        (MESSAGE, OLDEST),
        ("no json", NEVER),
        ("[]", NEVER),
        ('{"headers": {}}', NEVER),
        ('{"headers": {"enqueued_at": null}}', NEVER),
        ('{"headers": {"enqueued_at": 1e300}}', NEVER),
    ],
)
def test_behind_a_foreign_message_nothing_counts_as_lost(
    message: str | None, expected: datetime | None
) -> None:
    assert published_at(message) == expected


def test_the_outbox_is_shown_while_redis_is_away(bench: Bench) -> None:
    bench.parts.error = RedisConnectionError("refused")

    bench.relay.observe_ledger()

    assert (bench.metric("outbox_pending"), bench.metric("outbox_oldest_age_seconds")) == (3, 1.5)
