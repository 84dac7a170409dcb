"""A message is in Redis until it is acknowledged, and comes at once; beside kombu's own transport."""

import json
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from statistics import median
from typing import Any

import pytest
from kombu import Connection, Consumer, Queue

from tests.stack.worker.receiver import SAFE, STOCK, Receiver, connect, publish, wait_soon
from tests.stack.worker.redis_server import OwnRedis

ROOT = Path(__file__).resolve().parents[3]
Connect = Callable[..., Connection]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with OwnRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(server: OwnRedis) -> OwnRedis:
    server.client.flushall()
    server.client.config_resetstat()
    return server


@pytest.fixture
def connected(redis: OwnRedis) -> Iterator[Connect]:
    """Return connections that are closed at the end."""
    with ExitStack() as connections:
        yield lambda *arguments, **options: connections.enter_context(
            connect(redis.port, *arguments, **options)
        )


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


@pytest.mark.parametrize(("transport", "kept"), [(SAFE, 1), (STOCK, 0)])
def test_a_worker_that_dies_before_it_reads_its_message_loses_it_with_the_stock_transport_alone(
    redis: OwnRedis, connected: Connect, transport: str, kept: int
) -> None:
    connection = connected(transport)
    publish(connected(STOCK), "work", ["precious"])
    consumer, _ = consumer_on(connection, "work")

    tell_to_receive(connection, consumer)
    wait_soon(lambda: redis.client.llen("work") == 0, "the server has taken the message from its queue")

    # here the worker dies: nothing of it is left but what is in Redis
    assert redis.client.hlen("unacked") == redis.client.zcard("unacked_index") == kept


def test_kills_at_random_moments_lose_nothing(redis: OwnRedis, connected: Connect) -> None:
    publish(connected(STOCK), "work", list(range(4000)))
    program = [sys.executable, "-m", "tests.stack.worker.noting_consumer", str(redis.port), SAFE]
    kills = 0
    while redis.client.llen("work") and kills < 12:
        before = redis.client.scard("seen")
        with subprocess.Popen(program, cwd=ROOT) as process:
            wait_soon(
                lambda: redis.client.scard("seen") > before + 50,  # noqa: B023 - called in this turn
                "the consumer is at work",
                deadline_seconds=20,
            )
            process.kill()
        kills += 1

    kept = [
        *redis.client.lrange("work", 0, -1),
        *(json.dumps(json.loads(entry)[0]) for entry in redis.client.hvals("unacked")),
    ]
    waiting = {json.loads(message)["headers"]["number"] for message in kept}
    seen = {int(number) for number in redis.client.smembers("seen")}
    assert kills > 5
    assert seen | waiting == set(range(4000))


def test_the_record_of_a_received_message_is_kombus_own(redis: OwnRedis, connected: Connect) -> None:
    records = []
    for transport in (SAFE, STOCK):
        redis.client.flushall()
        connection = connected(transport)
        publish(connected(STOCK), "work", ['ü/"\\', {"n": []}])
        consumer, messages = consumer_on(connection, "work", prefetch=2)
        drain(connection, messages, 2)
        records.append([json.loads(entry) for entry in redis.client.hvals("unacked")])
        tags = [message.delivery_tag for message in messages]
        assert sorted(redis.client.zrange("unacked_index", 0, -1)) == sorted(tags)
        times = [redis.client.zscore("unacked_index", tag) or 0 for tag in tags]
        assert all(abs(moment - time.time()) < 5 for moment in times)
        consumer.channel.close()

    safe, stock = (
        [(entry[0]["body"], *entry[1:], sorted(entry[0])) for entry in record] for record in records
    )
    assert sorted(safe) == sorted(stock)


def test_messages_come_together_as_far_as_there_is_room(redis: OwnRedis, connected: Connect) -> None:
    connection = connected()
    publish(connected(STOCK), "work", list(range(10)))
    _, messages = consumer_on(connection, "work", prefetch=4)

    drain(connection, messages, 4)

    assert [message.payload for message in messages] == [0, 1, 2, 3]
    assert redis.calls("evalsha") == 1
    assert redis.client.llen("work") == 6


def test_acknowledgements_travel_with_the_next_request(redis: OwnRedis, connected: Connect) -> None:
    connection = connected()
    publish(connected(STOCK), "work", ["done", "done as well", "next"])
    _, messages = consumer_on(connection, "work", prefetch=2)
    first, second = drain(connection, messages, 2)
    redis.client.config_resetstat()

    first.ack()
    second.ack()
    drain(connection, messages, 3)

    assert redis.client.hkeys("unacked") == [messages[2].delivery_tag]
    assert redis.client.zcard("unacked_index") == 1
    assert (redis.calls("evalsha"), redis.calls("hdel"), redis.calls("multi")) == (1, 1, 0)


def test_acknowledgements_need_no_room_for_further_messages(redis: OwnRedis, connected: Connect) -> None:
    connection = connected()
    publish(connected(STOCK), "work", ["done", "held"])
    consumer, messages = consumer_on(connection, "work", prefetch=2)
    first, held = drain(connection, messages, 2)
    consumer.qos(prefetch_count=1)

    first.ack()
    settle(connection)

    assert redis.client.hkeys("unacked") == [held.delivery_tag]


def test_acknowledgements_outlive_the_connection_that_should_have_taken_them(
    redis: OwnRedis, connected: Connect
) -> None:
    connection = connected()
    publish(connected(STOCK), "work", ["done"])
    consumer, messages = consumer_on(connection, "work")
    drain(connection, messages, 1)[0].ack()
    tell_to_receive(connection, consumer)

    consumer.channel.client.connection.disconnect()

    assert consumer.channel.qos.has_acknowledged
    settle(connection)
    assert redis.client.exists("unacked", "unacked_index", "work") == 0


@pytest.mark.parametrize("ending", ["cancel", "close"])
def test_the_last_acknowledgements_are_not_left_behind(
    redis: OwnRedis, connected: Connect, ending: str
) -> None:
    connection = connected()
    publish(connected(STOCK), "work", ["before", "after"])
    consumer, messages = consumer_on(connection, "work", prefetch=2)
    before, after = drain(connection, messages, 2)

    before.ack()
    if ending == "cancel":
        consumer.cancel()
        after.ack()
        assert redis.client.exists("unacked", "unacked_index", "work") == 0
    else:
        connection.close()
        assert redis.client.exists("unacked", "unacked_index") == 0
        assert redis.client.llen("work") == 1


def test_priorities_are_kept(connected: Connect) -> None:
    steps = {"priority_steps": [0, 3, 6, 9]}
    orders = []
    for transport in (SAFE, STOCK):
        for priority in (9, 0, 6, 3, 0, 9):
            publish(connected(STOCK, **steps), "work", [priority], priority)
        connection = connected(transport, **steps)
        consumer, messages = consumer_on(connection, "work")
        for count in range(1, 7):
            drain(connection, messages, count)[-1].ack()
        orders.append([message.payload for message in messages])
        consumer.channel.close()

    assert orders[0] == orders[1] == [0, 0, 3, 6, 9, 9]


@pytest.mark.parametrize("prefetch", [1, 10])
def test_a_full_queue_does_not_hold_up_another_one(
    redis: OwnRedis, connected: Connect, prefetch: int
) -> None:
    publisher = connected(STOCK)
    publish(publisher, "a", range(200))
    publish(publisher, "b", range(200))
    with Receiver(connected(), ["a", "b"], prefetch) as receiver:
        wait_soon(lambda: len(receiver.receipts) == 400, "all came")

    assert min(Counter(receipt.queue for receipt in receiver.receipts[:60]).values()) >= 20
    assert redis.client.hlen("unacked") == 0


def test_an_idle_worker_is_woken_by_each_of_its_queues(connected: Connect) -> None:
    queues, publisher, delays = ["a", "b", "c"], connected(STOCK), []
    with Receiver(connected(), queues) as receiver:
        for turn in range(15):
            time.sleep(0.03)
            sent = time.monotonic()
            publish(publisher, queues[turn % 3], [turn])
            wait_soon(lambda: len(receiver.receipts) > turn, "the message comes")  # noqa: B023 - called in this turn
            delays.append(receiver.receipts[-1].at - sent)

    assert median(delays) < 0.05


def test_idle_workers_do_not_spin(redis: OwnRedis, connected: Connect) -> None:
    with ExitStack() as receivers:
        for _ in range(4):
            receivers.enter_context(Receiver(connected(), ["a", "b"]))
        redis.client.config_resetstat()
        time.sleep(3)

        assert redis.calls("evalsha") <= 4


def test_of_many_idle_workers_one_gets_the_message(redis: OwnRedis, connected: Connect) -> None:
    with ExitStack() as stack:
        receivers = [stack.enter_context(Receiver(connected(), ["work"])) for _ in range(4)]
        publish(connected(STOCK), "work", range(40))
        wait_soon(lambda: sum(len(receiver.receipts) for receiver in receivers) == 40, "all came")

    assert sorted(receipt.body for receiver in receivers for receipt in receiver.receipts) == list(range(40))
    assert redis.client.hlen("unacked") == 0


def test_a_call_that_comes_while_there_is_no_room_does_not_cut_the_connection(connected: Connect) -> None:
    publisher = connected(STOCK)
    with Receiver(connected(), ["a", "b"]) as receiver:
        receiver.acknowledges = False
        publish(publisher, "a", ["held"])
        wait_soon(lambda: receiver.receipts, "the first message comes")
        connection = receiver.channel.client.connection
        socket = connection._sock
        publish(publisher, "b", range(5))
        time.sleep(0.3)

        assert connection._sock is socket
        assert len(receiver.receipts) == 1


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


def test_a_message_given_back_is_in_its_queue_or_in_the_record(redis: OwnRedis, connected: Connect) -> None:
    connection = connected()
    publish(connected(STOCK), "work", ["again"])
    _, messages = consumer_on(connection, "work")
    drain(connection, messages, 1)[0].reject(requeue=True)

    again = drain(connection, messages, 2)[1]

    assert again.delivery_info["redelivered"] is True
    assert again.delivery_tag == messages[0].delivery_tag
    again.ack()
    settle(connection)
    assert redis.client.exists("unacked", "unacked_index", "work") == 0
    assert redis.calls("watch") == 0


def test_a_message_that_was_acknowledged_meanwhile_is_not_given_back(
    redis: OwnRedis, connected: Connect
) -> None:
    connection = connected()
    publish(connected(STOCK), "work", ["done"])
    consumer, messages = consumer_on(connection, "work")
    message = drain(connection, messages, 1)[0]
    message.ack()
    settle(connection)

    consumer.channel.qos.restore_by_tag(message.delivery_tag)

    assert redis.client.exists("unacked", "unacked_index", "work") == 0


def test_what_nobody_renews_comes_back_by_the_servers_clock(
    redis: OwnRedis, connected: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connected(visibility_timeout=2)
    publish(connected(STOCK), "work", ["old", "new"])
    consumer, messages = consumer_on(connection, "work", prefetch=2)
    old, new = drain(connection, messages, 2)
    redis.client.zincrby("unacked_index", -3, old.delivery_tag)
    monkeypatch.setattr("kombu.transport.redis.time", lambda: time.time() + 1000)

    consumer.channel.qos.restore_visible()

    assert redis.client.llen("work") == 1
    assert redis.client.hkeys("unacked") == [new.delivery_tag]


def test_closing_gives_everything_back(redis: OwnRedis, connected: Connect) -> None:
    publish(connected(STOCK), "work", list(range(6)))
    connection = connected()
    consumer, messages = consumer_on(connection, "work", prefetch=2)
    drain(connection, messages, 2)
    messages[0].ack()
    tell_to_receive(connection, consumer)  # whose answer nobody has read yet

    connection.close()

    assert redis.client.llen("work") == 5
    assert redis.client.exists("unacked", "unacked_index") == 0


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
