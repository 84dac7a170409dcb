"""A message is what the pinned Celery itself would have put into the queue."""

import json
from typing import Any

import pytest
from celery import Celery
from kombu.transport import memory

from app.tasks.broker import Message
from app.tasks.envelope import envelope
from app.tracing.tracing import TRACEPARENT

MESSAGE = Message("01a215f3-d27c-7da8-bf16-885f2e3f96cb", "create_product_from_user", "default", "abc")
OWN = {"properties": ("reply_to", "delivery_tag"), "headers": ("origin", "enqueued_at")}


def by_celery(message: Message, monkeypatch: pytest.MonkeyPatch, **headers: object) -> dict[str, Any]:
    """Return what Celery hands to kombu's transport, which writes it into the queue as JSON."""
    sent: list[tuple[str, dict[str, Any]]] = []
    monkeypatch.setattr(memory.Channel, "_put", lambda _, queue, sent_, **__: sent.append((queue, sent_)))
    celery = Celery(set_as_current=False)
    celery.conf.update(broker_url="memory://", task_ignore_result=True, task_publish_retry=False)
    with celery.producer_pool.acquire(block=True) as producer:
        celery.send_task(
            message.name,
            task_id=message.task_id,
            queue=message.queue,
            producer=producer,
            ignore_result=True,
            headers={"request_id": message.request_id, "enqueued_at": 1.0, **headers},
        )
    celery.close()
    [(queue, found)] = sent
    assert queue == message.queue
    return found


def split(message: dict[str, Any]) -> tuple[dict[str, Any], dict[str, type]]:
    """Return the message without what differs from one to the next, and the types of that."""
    different = {name: type(message[part].pop(name)) for part, names in OWN.items() for name in names}
    return message, different


@pytest.mark.parametrize("headers", [{}, {TRACEPARENT: "00-1-2-01"}], ids=["untraced", "traced"])
def test_it_is_what_celery_would_write(headers: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    ours = json.loads(envelope(MESSAGE, headers.get(TRACEPARENT)))
    celerys = json.loads(json.dumps(by_celery(MESSAGE, monkeypatch, **headers)))
    assert split(ours) == split(celerys)


def test_no_two_messages_have_one_delivery_tag() -> None:
    tags = {json.loads(envelope(MESSAGE, None))["properties"]["delivery_tag"] for _ in range(100)}
    assert len(tags) == 100
