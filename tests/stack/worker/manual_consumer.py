"""A consumer without an event loop: the test says when it asks for messages, and when it reads them."""

import time
from contextlib import suppress
from typing import Any

from kombu import Connection, Consumer, Queue


def consumer_on(connection: Connection, *queues: str, prefetch: int = 1) -> tuple[Any, list[Any]]:
    """Return a consumer without an event loop, and what it receives."""
    messages: list[Any] = []
    consumer = Consumer(connection.channel(), [Queue(name, routing_key=name) for name in queues])
    consumer.register_callback(lambda _, message: messages.append(message))
    consumer.qos(prefetch_count=prefetch)
    consumer.consume()
    return consumer, messages


def drain(connection: Connection, messages: list[Any], count: int) -> list[Any]:
    deadline = time.monotonic() + 10
    while len(messages) < count:
        assert time.monotonic() < deadline, f"{len(messages)} of {count} messages came"
        with suppress(TimeoutError):
            connection.drain_events(timeout=0.2)
    return messages


def settle(connection: Connection) -> None:
    """Let the connection send what it has to."""
    with suppress(TimeoutError):
        connection.drain_events(timeout=0.1)


def tell_to_receive(connection: Connection, consumer: Any) -> None:  # noqa: ANN401 - kombu is untyped
    """Have the server take messages from their queue, and read nothing of what it answers."""
    poller = connection.transport.cycle
    poller._register_BRPOP(consumer.channel)
