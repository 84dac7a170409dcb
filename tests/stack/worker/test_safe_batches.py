"""Messages of a task with a batch size share a place of the prefetch count."""

from typing import Any

from kombu import Connection

from tests.stack.worker.conftest import Connect
from tests.stack.worker.manual_consumer import consumer_on, drain, settle
from tests.stack.worker.receiver import STOCK
from tests.stack.worker.redis_server import OwnRedis

SIZES = {"batch_sizes": {"quick": 3}}


def publish(connection: Connection, *names: str, queue: str = "work") -> None:
    with connection.Producer() as producer:
        for number, name in enumerate(names):
            producer.publish(number, routing_key=queue, headers={"task": name})


def names(messages: list[Any]) -> list[str]:
    return [message.headers["task"] for message in messages]


def test_a_place_is_a_batch_or_one_other_message(redis: OwnRedis, connected: Connect) -> None:
    connection = connected(**SIZES)
    publish(connected(STOCK), "quick", "quick", "slow", "quick", "quick", "quick", "quick", "slow")
    _, messages = consumer_on(connection, "work", prefetch=3)

    drain(connection, messages, 6)

    assert names(messages) == ["quick", "quick", "slow", "quick", "quick", "quick"]
    assert redis.calls("evalsha") == 1
    assert redis.client.hlen("unacked") == redis.client.zcard("unacked_index") == 6
    assert redis.client.llen("work") == 2


def test_half_of_a_long_queue_is_left_to_others(redis: OwnRedis, connected: Connect) -> None:
    connection = connected(batch_sizes={"quick": 100})
    publish(connected(STOCK), *["quick"] * 40)
    _, messages = consumer_on(connection, "work", prefetch=2)

    drain(connection, messages, 30)

    assert redis.client.llen("work") == 10


def test_one_place_takes_no_message_from_behind_another_task(redis: OwnRedis, connected: Connect) -> None:
    connection = connected(**SIZES)
    publish(connected(STOCK), "slow", "quick", "slow")
    _, messages = consumer_on(connection, "work")

    drain(connection, messages, 1)

    assert names(messages) == ["slow"]
    assert redis.client.llen("work") == 2


def test_messages_of_two_queues_share_no_place(redis: OwnRedis, connected: Connect) -> None:
    connection = connected(**SIZES)
    for queue in ("a", "b"):
        publish(connected(STOCK), "quick", queue=queue)
    _, messages = consumer_on(connection, "a", "b")

    drain(connection, messages, 1)

    assert redis.client.llen("a") + redis.client.llen("b") == 1


def test_a_batch_counts_as_one_until_its_last_message_is_acknowledged(
    redis: OwnRedis, connected: Connect
) -> None:
    connection = connected(**SIZES)
    publish(connected(STOCK), *["quick"] * 6)
    consumer, messages = consumer_on(connection, "work", prefetch=2)
    drain(connection, messages, 6)
    qos = consumer.channel.qos
    for batch in (messages[:3], messages[3:]):
        qos.count_as_one([message.delivery_tag for message in batch])
    assert qos.can_consume_max_estimate() == 0

    for message in messages[:2]:
        message.ack()
    assert not qos.can_consume()
    messages[2].reject(requeue=True)

    assert qos.can_consume_max_estimate() == 1
    assert redis.client.llen("work") == 1


def test_a_message_that_somebody_has_had_before_shares_no_place(connected: Connect) -> None:
    connection = connected(**SIZES)
    publish(connected(STOCK), "quick", "quick", "quick")
    consumer, messages = consumer_on(connection, "work")
    drain(connection, messages, 3)
    for message in reversed(messages[:2]):
        message.reject(requeue=True)
    consumer.channel.qos.count_as_one([messages[2].delivery_tag])
    messages[2].ack()
    messages.clear()

    drain(connection, messages, 1)
    settle(connection)

    assert [message.delivery_info["redelivered"] for message in messages] == [True]
