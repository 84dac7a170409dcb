"""A consumer with kombu's event loop, as a worker has one, in a thread of the test."""

import threading
import time
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple, Self

from kombu import Connection, Consumer, Queue
from kombu.asynchronous import Hub

from tests.stack.waiting import wait_until

SAFE = "worker.delivery.transport:SafeTransport"
STOCK = "redis"
# messages come within milliseconds
wait_soon = partial(wait_until, deadline_seconds=10, poll_seconds=0.005)


class Receipt(NamedTuple):
    """A message as it came."""

    queue: str
    body: Any
    at: float


def connect(port: int, transport: str = SAFE, **options: object) -> Connection:
    """Return a connection like the worker's."""
    defaults = {
        "visibility_timeout": 60,
        "priority_steps": [0],
        "socket_timeout": 5,
        "unacked_restore_throttle": 1,
    }
    return Connection(
        f"redis://127.0.0.1:{port}/0", transport=transport, transport_options=defaults | options
    )


def publish(connection: Connection, queue: str, bodies: Sequence[Any], priority: int = 0) -> None:
    with connection.Producer() as producer:
        for body in bodies:
            producer.publish(body, routing_key=queue, priority=priority, headers={"number": body})


class Receiver:
    """Consumes and acknowledges until it is left; connects again when it loses Redis."""

    def __init__(self, connection: Connection, queues: Sequence[str], prefetch: int = 1) -> None:
        self.receipts: list[Receipt] = []
        self.losses: list[BaseException] = []
        self.acknowledges = True
        self.channel: Any = None
        self._connection, self._queues, self._prefetch = connection, queues, prefetch
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Self:
        self._thread.start()
        wait_soon(self._waits, "the receiver waits for messages")
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(20)
        assert not self._thread.is_alive()

    def _waits(self) -> bool:
        return self.channel is not None and self.channel._in_poll and not self.channel._asked

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._connection.clone() as connection:
                    self._consume(connection)
            except self._connection.connection_errors as error:
                self.losses.append(error)
                time.sleep(0.1)

    def _consume(self, connection: Connection) -> None:
        hub = Hub()
        self.channel = connection.channel()
        consumer = Consumer(self.channel, [Queue(name, routing_key=name) for name in self._queues])
        consumer.register_callback(self._take)
        consumer.qos(prefetch_count=self._prefetch)
        connection.register_with_event_loop(hub)
        consumer.consume()
        hub.call_repeatedly(0.1, lambda: None)  # so that a turn of the loop ends
        try:
            while not self._stopping.is_set():
                hub.run_once()
        finally:
            hub.close()

    def _take(self, body: object, message: Any) -> None:  # noqa: ANN401 - kombu is untyped
        self.receipts.append(Receipt(message.delivery_info["routing_key"], body, time.monotonic()))
        if self.acknowledges:
            message.ack()
