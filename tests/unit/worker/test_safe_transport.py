"""The private parts of kombu and redis-py that the safe transport stands on, and how Celery finds it."""

import inspect
from collections.abc import Callable
from importlib.metadata import version
from typing import Any

import kombu.transport.redis as stock
import pytest
from kombu.transport import virtual
from redis.connection import AbstractConnection

from app.settings import Settings
from app.tasks.registry import TaskRegistry
from worker.celery_app import create_celery
from worker.delivery.channel import SafeChannel
from worker.delivery.scripts import redis_script
from worker.delivery.transport import SafePoller, SafeTransport, use_safe_transport
from worker.delivery.unacknowledged import MalformedMessageError, Pushes, SafeMessage, SafeQoS
from worker.outcome import Outcome

OVERRIDDEN: list[tuple[type[Any], type[Any], str]] = [
    (SafeChannel, stock.Channel, name)
    for name in (
        "basic_consume",
        "close",
        "_connparams",
        "_on_connection_disconnect",
        "_brpop_start",
        "_brpop_read",
    )
]
OVERRIDDEN += [
    (SafeQoS, stock.QoS, name)
    for name in ("append", "ack", "restore_visible", "restore_by_tag", "restore_unacked_once")
]
OVERRIDDEN += [
    (SafePoller, stock.MultiChannelPoller, name) for name in ("on_poll_start", "on_readable", "get")
]
CALLED: list[tuple[Callable[..., Any], list[str]]] = [
    (stock.Channel._do_restore_message, ["self", "payload", "exchange", "routing_key", "pipe", "leftmost"]),
    (stock.Channel._q_for_pri, ["self", "queue", "pri"]),
    (stock.Channel._flush_brpop_reauth, ["self"]),
    (stock.Channel.conn_or_acquire, ["self", "client"]),
    (stock.MultiChannelPoller._register_BRPOP, ["self", "channel"]),
    (virtual.Transport._deliver, ["self", "message", "queue"]),
    (virtual.QoS.append, ["self", "message", "delivery_tag"]),
    (virtual.QoS.can_consume_max_estimate, ["self"]),
]


def make_celery() -> Any:  # noqa: ANN401 - Celery's configuration is untyped
    settings = Settings.model_validate(
        {"db_password": "x", "redis_password": "hidden", "redis_host": "redis"}
    )
    celery = create_celery(settings, TaskRegistry([]), lambda *_: Outcome.SUCCEEDED)
    use_safe_transport(celery)
    return celery


def test_the_transport_was_written_for_these_versions() -> None:
    assert (version("kombu"), version("celery")) == ("5.7.0", "5.7.0"), (
        "compare kombu's redis.py with the one before, then run tests/stack/worker/test_safe_*.py"
    )


@pytest.mark.parametrize(("own", "kombus", "name"), OVERRIDDEN)
def test_what_is_overridden_takes_what_kombu_passes(own: type[Any], kombus: type[Any], name: str) -> None:
    theirs = list(inspect.signature(getattr(kombus, name)).parameters.values())
    ours = inspect.signature(getattr(own, name)).parameters.values()

    takes_any = any(parameter.kind is parameter.VAR_POSITIONAL for parameter in ours)
    takes_names = any(parameter.kind is parameter.VAR_KEYWORD for parameter in ours)
    names = [parameter.name for parameter in ours]
    for parameter in theirs:
        named = parameter.kind is parameter.POSITIONAL_OR_KEYWORD
        assert parameter.name in names or (takes_names if not named else takes_any or takes_names)


@pytest.mark.parametrize(("function", "parameters"), CALLED)
def test_what_is_called_has_the_signature_it_is_called_with(
    function: Callable[..., Any], parameters: list[str]
) -> None:
    assert list(inspect.signature(inspect.unwrap(function)).parameters) == parameters


@pytest.mark.parametrize(
    ("owner", "names"),
    [
        (stock.Channel.__init__, ["_queue_cycle", "brpop_timeout", "'BRPOP': self._brpop_read"]),
        (stock.Channel._brpop_start, ["_in_poll = self.client.connection", "_brpop_sent_at = monotonic()"]),
        (stock.Channel.close, ["if self._in_poll:", "self._brpop_read()"]),
        (stock.QoS.append, ["dumps([message._raw, EX, RK])", "zadd", "unacked_index_key"]),
        (stock.QoS.ack, ["self._remove_from_indices(delivery_tag).execute()", "super().ack(delivery_tag)"]),
        (stock.QoS.__init__, ["_vrestore_count"]),
        (stock.MultiChannelPoller.maybe_check_brpop_health, ["_in_poll", "_brpop_sent_at", "brpop_timeout"]),
        (stock.MultiChannelPoller._register_BRPOP, ["if not channel._in_poll:", "channel._brpop_start()"]),
        (stock.Transport.__init__, ["self.cycle = MultiChannelPoller()"]),
        (virtual.Channel.close, ["self.closed = True", "self._qos.restore_unacked_once()"]),
        (virtual.Channel.basic_consume, ["self.Message(raw_message, channel=self)", "self.qos.append("]),
    ],
)
def test_kombu_works_as_the_transport_expects(owner: Callable[..., Any], names: list[str]) -> None:
    source = inspect.getsource(owner)

    assert [name for name in names if name not in source] == []


def test_redis_py_hands_over_calls_of_the_server() -> None:
    assert "push_request" in inspect.signature(AbstractConnection.read_response).parameters
    assert "check_health" in inspect.getsource(AbstractConnection.send_command)


def test_the_workers_connection_is_the_safe_one_and_its_address_shows_no_password() -> None:
    connection = make_celery().connection_for_read()

    assert type(connection.transport) is SafeTransport
    assert (connection.hostname, connection.port, connection.password) == ("redis", 6379, "hidden")
    assert connection.as_uri() == "redis-safe://:**@redis:6379/0"
    assert "hidden" not in str(connection)
    assert connection.supports_heartbeats is False
    assert connection.transport.supports_batch_publish


def test_what_kombu_would_push_is_taken_down_instead() -> None:
    pushes = Pushes()

    pushes.lpush("last", "a")
    pushes.rpush("next", "b")

    assert pushes == [("LPUSH", "last", "a"), ("RPUSH", "next", "b")]


def test_scripts_lie_beside_the_code() -> None:
    assert "RPOP" in redis_script("receive").text
    assert len(redis_script("restore").sha) == 40


@pytest.mark.parametrize("payload", [None, {}, {"properties": {"delivery_tag": "t"}, "body": 5}])
def test_a_message_that_kombu_cannot_read_says_so_in_one_way(payload: object) -> None:
    with pytest.raises(MalformedMessageError):
        SafeMessage(payload)
