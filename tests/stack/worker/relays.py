"""Relays in the test's own process, for one queue, and tasks that they alone publish."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

from prometheus_client import CollectorRegistry

from app.database.routing import Database
from app.tasks.broker import Broker
from app.tasks.queues import QueueInspector
from tests.stack.worker.ledger import Ledger
from worker.relay.metrics import RelayMetrics
from worker.relay.relay import Relay

BATCH = 500
REDELIVERY_SECONDS = 120.0
# Tasks that are due only then are left alone by the stack's relays; those of these tests look ahead.
LATER_SECONDS = 3600.0


def relay_of(ledger: Ledger, broker: Broker | None = None, database: Database | None = None) -> Relay:
    return Relay(
        database or ledger.database,
        broker or ledger.broker,
        QueueInspector(ledger.redis),
        RelayMetrics(CollectorRegistry()),
        queues=[ledger.queue],
        batch_size=BATCH,
        min_age_seconds=-LATER_SECONDS,
        redelivery_seconds=REDELIVERY_SECONDS,
        silences=dict,
    )


def accept_for_later(ledger: Ledger, count: int) -> list[str]:
    due = datetime.now(UTC) + timedelta(seconds=LATER_SECONDS / 2)
    payload = {"user_id": ledger.user_id, "seconds": 0}
    return ledger.accept("slow_product", payload, count=count, available_at=due)


def queued_ids(ledger: Ledger) -> Counter[str]:
    """Count the messages of each task that wait."""
    return Counter(json.loads(raw)["headers"]["id"] for raw in ledger.redis.lrange(ledger.queue, 0, -1))
