"""A channel that receives without a gap: a message is in Redis until it is acknowledged.

kombu pops a message and writes in a second step that it did; a worker killed in between takes the message
with it. Here one script moves messages from their queues into kombu's own record of unacknowledged ones and
returns them. An empty queue is not waited for with a command that blocks, which could look at one list only
without taking from it: the script reads the empty lists, and Redis calls a connection that has read a key
when that key changes (client tracking).
"""

import json
from collections import deque
from collections.abc import Mapping, Sequence
from queue import Empty
from time import monotonic
from typing import Any, NamedTuple

import structlog
from kombu.transport import redis
from redis.exceptions import NoScriptError, ResponseError

from worker.delivery.scripts import redis_script
from worker.delivery.unacknowledged import MalformedMessageError, Push, SafeMessage, SafeQoS

log = structlog.get_logger(__name__)

MOST_PER_ROUND_TRIP = 50
MOST_LOOKED_AT = 500  # Redis does nothing else meanwhile
MOST_PUT_ASIDE = 1000
LOOK_AGAIN_SECONDS = 5
LOOK_AGAIN_WITHOUT_CALLS_SECONDS = 0.5


class Received(NamedTuple):
    """A message that is in the record of unacknowledged ones."""

    queue: str
    tag: str
    text: bytes


class SafeChannel(redis.Channel):  # type: ignore[misc] # untyped
    """Asks for messages with a script, then waits for the server's call before it asks again.

    kombu's names stay: `_in_poll` is the connection while it owes something, an answer or a call, and
    `_brpop_sent_at` is when it was asked last, which the check for half-open connections goes by.
    """

    QoS = SafeQoS
    Message = SafeMessage
    from_transport_options = (*redis.Channel.from_transport_options, "batch_sizes")
    batch_sizes: Mapping[str, int] = {}  # by a task's name; kombu sets it from the options
    _in_poll: Any
    _brpop_sent_at: Any

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self.recorded_tags: set[str] = set()
        self._unacknowledging_queues: set[str] = set()
        self._asked = False
        self._asked_queues: list[str] = []
        self._sent_tags: list[str] = []
        self._prepared_socket: Any = None
        self._look_again_seconds: float = LOOK_AGAIN_SECONDS
        super().__init__(*arguments, **options)
        if self.global_keyprefix:
            raise ValueError("the safe transport has no global_keyprefix")

    def basic_consume(self, queue: str, no_ack: bool, *arguments: Any, **options: Any) -> Any:
        """Note as well whether the queue's messages are acknowledged."""
        (self._unacknowledging_queues.add if no_ack else self._unacknowledging_queues.discard)(queue)
        return super().basic_consume(queue, no_ack, *arguments, **options)

    def look_again_if_due(self) -> None:
        """Ask though there was no call: to acknowledge, or to notice that the connection was lost."""
        if self._in_poll and not self._asked:
            overdue = monotonic() - self._brpop_sent_at >= self._look_again_seconds
            if overdue or self.qos.has_acknowledged:
                self._in_poll = None

    def acknowledge_without_request(self) -> None:
        """Acknowledge what no request took along, as there is no room for further messages."""
        if not self._asked and self.qos.has_acknowledged:
            self.qos.flush_acknowledged()

    def take_call(self) -> None:
        """Read the server's call, or that it has gone."""
        connection = self.client.connection
        try:
            connection.read_response(push_request=True)
        except self.connection_errors:
            connection.disconnect()
            raise
        finally:
            self._in_poll = None

    def close(self) -> None:
        """Take an answer that is on its way, so that its messages are given back with the others."""
        if not self._asked:
            self._in_poll = None
        super().close()

    def _connparams(self, asynchronous: bool = False) -> dict[str, Any]:
        return {**super()._connparams(asynchronous=asynchronous), "protocol": 3}  # the first one with calls

    def _on_connection_disconnect(self, connection: Any) -> None:
        if self._in_poll is connection:
            self._end_request()
        super()._on_connection_disconnect(connection)

    def _end_request(self) -> None:
        self._in_poll, self._asked = None, False
        self.qos.give_back_acknowledged(self._sent_tags)
        self._sent_tags = []

    def _brpop_start(self, timeout: float | None = None) -> None:
        del timeout
        queues = self._queue_cycle.consume(len(self.active_queues))
        if not queues:
            return
        connection = self.client.connection
        self._prepare(connection)
        places = [(queue, step) for step in self.priority_steps for queue in queues]
        self._asked_queues = [queue for queue, _ in places]
        keys = (self.unacked_key, self.unacked_index_key, *(self._q_for_pri(*place) for place in places))
        room = self.qos.can_consume_max_estimate()
        limit = MOST_PER_ROUND_TRIP if room is None else max(1, min(room, MOST_PER_ROUND_TRIP))
        flags = [int(queue in self._unacknowledging_queues) for queue in self._asked_queues]
        self._sent_tags = self.qos.take_acknowledged()
        self._in_poll, self._asked, self._brpop_sent_at = connection, True, monotonic()
        sizes = json.dumps(self.batch_sizes)
        arguments = (*keys, limit, MOST_LOOKED_AT, MOST_PUT_ASIDE, sizes, *flags, *self._sent_tags)
        _send(connection, "EVALSHA", redis_script("receive").sha, len(keys), *arguments)

    def _brpop_read(self, **_: Any) -> bool:
        if not self._asked:
            self.take_call()
            raise Empty
        connection = self.client.connection
        malformed, messages = self._read_answer(connection)
        if malformed:
            log.error("malformed messages put aside in <queue>.malformed", messages=malformed)
        if messages:
            self._deliver_all(messages)
            return True
        if not malformed:
            self._wait_for_call(connection)
        raise Empty

    def _read_answer(self, connection: Any) -> tuple[int, list[Received]]:
        """Return how many messages were put aside, and the others."""
        try:
            malformed, *answer = connection.read_response()
            self._sent_tags = []
        except NoScriptError:
            self._prepared_socket = None
            raise Empty from None
        except self.connection_errors:
            connection.disconnect()
            raise
        finally:
            self._end_request()
            self._flush_brpop_reauth()
        fields = zip(answer[::3], answer[1::3], answer[2::3], strict=True)
        return malformed, [
            Received(self._asked_queues[place - 1], tag.decode(), text) for place, tag, text in fields
        ]

    def _wait_for_call(self, connection: Any) -> None:
        self._in_poll = connection
        if connection.can_read(timeout=0):  # it came together with the answer: no event will tell of it
            self.take_call()

    def _deliver_all(self, messages: Sequence[Received]) -> None:
        for queue in dict.fromkeys(message.queue for message in messages):
            self._queue_cycle.rotate(queue)
        left = deque(messages)
        try:
            while left:
                self._deliver(left.popleft())
        finally:
            for message in left:
                self.qos.restore_by_tag(message.tag)

    def _deliver(self, message: Received) -> None:
        if message.queue not in self._unacknowledging_queues:
            self.recorded_tags.add(message.tag)
        try:
            self.connection._deliver(_decoded(message.text), message.queue)
        except MalformedMessageError as error:
            self._put_aside(message, error)
        finally:
            self.recorded_tags.discard(message.tag)

    def _put_aside(self, message: Received, error: MalformedMessageError) -> None:
        """Keep a message from coming back for ever; the ledger publishes its task again, if it is one."""
        queue = f"{message.queue}.malformed"
        log.error("malformed message put aside", queue=queue, error=str(error))
        with self.conn_or_acquire() as client:
            self.qos.move(message.tag, [Push("LPUSH", queue, message.text)], client)
            client.ltrim(queue, 0, MOST_PUT_ASIDE - 1)

    def _prepare(self, connection: Any) -> None:
        """Make a new connection ready for the script and the calls."""
        if connection._sock is self._prepared_socket:
            return
        _send(connection, "SCRIPT", "LOAD", redis_script("receive").text)
        connection.read_response()
        try:
            _send(connection, "CLIENT", "TRACKING", "ON", "NOLOOP")
            connection.read_response()
            self._look_again_seconds = LOOK_AGAIN_SECONDS
        except ResponseError as error:
            self._look_again_seconds = LOOK_AGAIN_WITHOUT_CALLS_SECONDS
            log.warning("Redis does not call when messages come, so it is asked often", error=str(error))
        self._prepared_socket = connection._sock


def _send(connection: Any, *command: Any) -> None:
    # Without redis-py's own check of the connection, which may replace it behind the event loop's back.
    connection.send_command(*command, check_health=False)


def _decoded(text: bytes) -> Any:
    try:
        return json.loads(text)
    except ValueError as error:
        raise MalformedMessageError(str(error)) from error
