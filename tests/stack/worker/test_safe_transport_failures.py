"""The worker's transport goes on whatever it finds in Redis, and whatever happens to Redis."""

import json
import time

import pytest

from tests.stack.worker.conftest import Connect
from tests.stack.worker.manual_consumer import consumer_on, drain, settle
from tests.stack.worker.receiver import STOCK, Receiver, publish, wait_soon
from tests.stack.worker.redis_server import OwnRedis


@pytest.mark.parametrize(
    "malformed",
    [b"\xff\x00", b"{", b"[]", b'"text"', b"{}", b'{"properties": {"delivery_tag": 5, "delivery_info": {}}}'],
)
def test_what_is_no_message_is_put_aside(redis: OwnRedis, connected: Connect, malformed: bytes) -> None:
    redis.client.lpush("work", malformed)
    publish(connected(STOCK), "work", ["fine"])
    connection = connected()
    _, messages = consumer_on(connection, "work")

    drain(connection, messages, 1)[0].ack()
    settle(connection)

    assert messages[0].payload == "fine"
    assert redis.client.llen("work.malformed") == 1
    assert redis.client.exists("unacked", "unacked_index", "work") == 0


def test_a_message_that_kombu_cannot_read_is_put_aside(redis: OwnRedis, connected: Connect) -> None:
    address = {"delivery_tag": "t", "delivery_info": {"exchange": "", "routing_key": "work"}}
    redis.client.lpush(
        "work", json.dumps({"body": "abc", "properties": address | {"body_encoding": "base64"}})
    )
    other = address | {"delivery_tag": "u", "body_encoding": "rot13"}
    redis.client.lpush("work", json.dumps({"body": "?", "properties": other}))
    publish(connected(STOCK), "work", ["fine"])
    connection = connected()
    _, messages = consumer_on(connection, "work", prefetch=3)

    drain(connection, messages, 1)[0].ack()
    settle(connection)

    assert redis.client.llen("work.malformed") == 2
    assert redis.client.exists("unacked", "unacked_index", "work") == 0


def test_a_full_redis_gives_its_messages_out(redis: OwnRedis, connected: Connect) -> None:
    publish(connected(STOCK), "work", list(range(5)))
    connection = connected()
    _, messages = consumer_on(connection, "work", prefetch=5)
    redis.client.config_set("maxmemory", 1)
    try:
        drain(connection, messages, 5)
        assert redis.client.hlen("unacked") == 5
        for message in messages:
            message.ack()
        settle(connection)
        assert redis.client.exists("unacked", "unacked_index", "work") == 0
    finally:
        redis.client.config_set("maxmemory", 0)


def test_a_consumer_goes_on_after_redis_was_killed(redis: OwnRedis, connected: Connect) -> None:
    with Receiver(connected(), ["work"], prefetch=5) as receiver:
        publish(connected(STOCK), "work", range(3))
        wait_soon(lambda: len(receiver.receipts) == 3, "the first messages come")
        redis.kill()
        wait_soon(lambda: receiver.losses, "the loss is noticed")
        redis.start()
        publish(connected(STOCK), "work", range(3))
        wait_soon(lambda: len(receiver.receipts) == 6, "the next messages come")
        time.sleep(0.2)
        sent = time.monotonic()
        publish(connected(STOCK), "work", [6])
        wait_soon(lambda: len(receiver.receipts) == 7, "an idle consumer is called again")

        assert receiver.receipts[-1].at - sent < 1


def test_a_script_that_redis_forgot_is_loaded_again(redis: OwnRedis, connected: Connect) -> None:
    publisher = connected(STOCK)
    with Receiver(connected(), ["work"]) as receiver:
        redis.client.script_flush()
        publish(publisher, "work", ["after"])
        wait_soon(lambda: receiver.receipts, "the message comes")


def test_a_server_that_refuses_calls_is_asked_often(redis: OwnRedis, connected: Connect) -> None:
    redis.client.acl_setuser("default", enabled=True, commands=["-client|tracking"])
    try:
        with Receiver(connected(), ["work"]) as receiver:
            publish(connected(STOCK), "work", ["late"])
            wait_soon(lambda: receiver.receipts, "the message comes", deadline_seconds=3)
    finally:
        redis.client.acl_setuser("default", enabled=True, categories=["+@all"])


def test_a_connection_that_became_half_open_is_given_up(
    redis: OwnRedis, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.delivery.channel.LOOK_AGAIN_SECONDS", 0.2)
    monkeypatch.setattr("worker.delivery.transport.SafeTransport.brpop_timeout", 0.2)
    options = {"health_check_interval": 0.5, "socket_timeout": 0.5, "socket_connect_timeout": 0.5}
    with Receiver(connected(**options), ["work"]) as receiver:
        redis.freeze(frozen=True)
        try:
            wait_soon(lambda: receiver.losses, "the silence is noticed")
        finally:
            redis.freeze(frozen=False)
        publish(connected(STOCK), "work", ["after"])
        wait_soon(lambda: receiver.receipts, "the message comes")


def test_a_wrong_record_shows_before_a_message_leaves_its_queue(redis: OwnRedis, connected: Connect) -> None:
    publish(connected(STOCK), "work", ["precious"])
    redis.client.set("unacked", "something else")
    connection = connected()
    consumer_on(connection, "work")

    with pytest.raises(connection.channel_errors, match="WRONGTYPE"):
        connection.drain_events(timeout=2)

    assert redis.client.llen("work") == 1
    redis.client.delete("unacked")
