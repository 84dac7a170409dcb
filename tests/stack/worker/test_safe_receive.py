"""A message is in Redis until it is acknowledged, and comes at once; beside kombu's own transport."""

import json
import subprocess
import sys
import time
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from statistics import median

import pytest

from tests.stack.worker.conftest import Connect
from tests.stack.worker.manual_consumer import consumer_on, drain, tell_to_receive
from tests.stack.worker.receiver import SAFE, STOCK, Receiver, publish, wait_soon
from tests.stack.worker.redis_server import OwnRedis

ROOT = Path(__file__).resolve().parents[3]


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
