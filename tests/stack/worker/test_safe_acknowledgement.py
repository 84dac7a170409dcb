"""What is acknowledged is gone, and what is not comes back, whatever becomes of the connection."""

import time

import pytest

from tests.stack.worker.conftest import Connect
from tests.stack.worker.manual_consumer import consumer_on, drain, settle, tell_to_receive
from tests.stack.worker.receiver import STOCK, publish
from tests.stack.worker.redis_server import OwnRedis


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
