"""What the relay promises of lost messages: found, each once per time of redelivery, and never a flood."""

import json
from collections import Counter
from collections.abc import Iterator

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.attempts.repository import AttemptRepository
from app.outbox.repository import BacklogRepository, OutboxRepository
from app.tasks.broker import Message
from app.tasks.queues import QueueInspector
from stack.supervisor import Stack
from tests.stack.parts import held_down
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.relays import (
    BATCH,
    LATER_SECONDS,
    REDELIVERY_SECONDS,
    accept_for_later,
    queued_ids,
    relay_of,
)
from worker.relay.relay import Relay, left_the_queue_before

pytestmark = pytest.mark.stack

LONG = 5_000
STACK_RELAYS = ("relay-1", "relay-2")


@pytest.fixture(autouse=True)
def _nothing_is_left(ledger: Ledger) -> Iterator[None]:
    yield
    ledger.delete_tasks()


@pytest.fixture
def _no_other_relay(stack: Stack) -> Iterator[None]:
    with held_down(stack, *STACK_RELAYS):
        yield


@pytest.fixture
def relay(ledger: Ledger) -> Relay:
    return relay_of(ledger)


def age(ledger: Ledger, seconds: float) -> None:
    """Make the ledger's times and the messages' older, as if so much time had passed."""
    with ledger.database.write() as session:
        session.execute(
            text(
                "UPDATE tasks SET available_at = available_at - INTERVAL :s SECOND,"
                " published_at = published_at - INTERVAL :s SECOND,"
                " lease_until = lease_until - INTERVAL :s SECOND WHERE queue = :queue"
            ),
            {"s": seconds, "queue": ledger.queue},
        )
        session.commit()
    shift_messages(ledger, -seconds)


def shift_messages(ledger: Ledger, seconds: float) -> None:
    """Let the messages tell another time of their publication, as a clock that is wrong would."""
    changed = []
    for raw in ledger.redis.lrange(ledger.queue, 0, -1):
        message = json.loads(raw)
        message["headers"]["enqueued_at"] += seconds
        changed.append(json.dumps(message))
    if changed:
        ledger.redis.delete(ledger.queue)
        ledger.redis.rpush(ledger.queue, *changed)


def accept_published(ledger: Ledger, count: int) -> list[str]:
    ids = accept_for_later(ledger, count)
    for start in range(0, count, BATCH):
        batch = ids[start : start + BATCH]
        ledger.broker.publish([Message(task_id, "slow_product", ledger.queue) for task_id in batch])
        with ledger.database.write() as session:
            OutboxRepository(session).mark_first_publication(batch)
            session.commit()
    return ids


@pytest.mark.parametrize("skew_seconds", [-30, 0, 30])
def test_a_long_queue_is_never_published_again_whatever_the_clock_of_who_published(
    ledger: Ledger, relay: Relay, skew_seconds: float
) -> None:
    accept_published(ledger, LONG if skew_seconds == 0 else BATCH)
    shift_messages(ledger, skew_seconds)
    before = ledger.redis.llen(ledger.queue)

    for _ in range(3):
        age(ledger, REDELIVERY_SECONDS * 2)
        assert relay.reconcile() == 0

    assert relay.publish_new() == 0
    assert ledger.redis.llen(ledger.queue) == before


@pytest.mark.parametrize("skew_seconds", [-30, 30])
def test_what_is_lost_is_found_whatever_the_clock_of_who_published(
    ledger: Ledger, relay: Relay, skew_seconds: float
) -> None:
    [lost] = accept_published(ledger, 1)
    ledger.redis.delete(ledger.queue)
    age(ledger, REDELIVERY_SECONDS + 1)
    accept_published(ledger, 1)  # the queue is in use
    shift_messages(ledger, skew_seconds)

    assert relay.reconcile() == 1

    assert queued_ids(ledger)[lost] == 1


def test_after_the_loss_of_all_messages_each_task_is_published_once_and_a_batch_per_pass(
    ledger: Ledger, relay: Relay
) -> None:
    ids = accept_published(ledger, LONG)
    ledger.redis.delete(ledger.queue)
    age(ledger, REDELIVERY_SECONDS + 1)

    passes = [relay.reconcile() for _ in range(LONG // BATCH + 3)]

    assert passes == [BATCH] * (LONG // BATCH) + [0] * 3
    assert queued_ids(ledger) == Counter(ids)
    age(ledger, REDELIVERY_SECONDS + 1)
    assert relay.reconcile() == 0, "they wait in the queue now"


def test_the_oldest_come_first(ledger: Ledger, relay: Relay) -> None:
    first = accept_for_later(ledger, 3)
    age(ledger, 10)
    second = accept_for_later(ledger, 3)
    age(ledger, 10)

    assert relay.publish_new() == 6

    order = [json.loads(raw)["headers"]["id"] for raw in ledger.redis.lrange(ledger.queue, 0, -1)][::-1]
    assert (set(order[:3]), set(order[3:])) == (set(first), set(second))


@pytest.mark.usefixtures("_no_other_relay")
def test_a_task_whose_worker_died_is_published_at_once_and_not_again_while_its_message_waits(
    ledger: Ledger, relay: Relay
) -> None:
    [task_id] = accept_published(ledger, 1)
    with ledger.database.write() as session:
        AttemptRepository(session).claim(task_id, "dead", "dead", lease_seconds=60)
        session.commit()
    ledger.redis.delete(ledger.queue)
    assert relay.reconcile() == 0, "the lease holds"
    age(ledger, 61)
    assert relay.reconcile() == 1

    for _ in range(3):
        age(ledger, REDELIVERY_SECONDS + 1)
        assert relay.reconcile() == 0
    assert queued_ids(ledger) == {task_id: 1}

    ledger.redis.delete(ledger.queue)
    assert relay.reconcile() == 1, "lost once more"


def rows_read(session: Session) -> int:
    """Return how many rows and entries of indexes this connection has read so far."""
    return sum(int(value) for _, value in session.execute(text("SHOW SESSION STATUS LIKE 'Handler_read%'")))


def read_by_a_pass(ledger: Ledger) -> int:
    """Return how many a pass reads that finds nothing to do."""
    oldest = left_the_queue_before(QueueInspector(ledger.redis).inspect(ledger.queue).oldest_at, 1)
    with ledger.database.write() as session:
        outbox, before = OutboxRepository(session), rows_read(session)
        assert not outbox.lock_unpublished(-LATER_SECONDS, BATCH)
        assert not outbox.lock_overdue(ledger.queue, oldest, REDELIVERY_SECONDS, BATCH)
        assert not outbox.lock_abandoned({ledger.queue: oldest}, REDELIVERY_SECONDS, BATCH)
        BacklogRepository(session).backlog()
        return rows_read(session) - before


def test_a_pass_does_not_look_at_what_waits(ledger: Ledger) -> None:
    accept_published(ledger, 1)
    age(ledger, REDELIVERY_SECONDS + 1)
    before = read_by_a_pass(ledger)  # what others have left in the tables among it
    accept_published(ledger, BATCH)
    age(ledger, REDELIVERY_SECONDS + 1)
    assert read_by_a_pass(ledger) - before < BATCH / 5
