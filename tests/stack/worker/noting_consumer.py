"""`python -m tests.stack.worker.noting_consumer PORT TRANSPORT`: note each message, then acknowledge it."""

import sys

import redis
from kombu import Consumer, Queue

from tests.stack.worker.receiver import connect


def main(port: str, transport: str) -> None:
    client = redis.Redis(port=int(port))
    with connect(int(port), transport) as connection:
        consumer = Consumer(connection.channel(), [Queue("work", routing_key="work")])

        def take(body: int, message: object) -> None:
            client.sadd("seen", body)
            message.ack()  # type: ignore[attr-defined] # kombu is untyped

        consumer.register_callback(take)
        consumer.qos(prefetch_count=16)
        consumer.consume()
        while True:
            connection.drain_events(timeout=30)


if __name__ == "__main__":
    main(*sys.argv[1:])
