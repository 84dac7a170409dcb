"""Messages that were received and not acknowledged: acknowledging and giving back are one step each.

The record is kombu's own, in its keys and its form: all that reads it goes on doing so.
"""

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import structlog
from kombu.transport import redis, virtual
from kombu.transport.virtual import base

from worker.delivery.scripts import redis_script

log = structlog.get_logger(__name__)

MOST_TAGS = 1000  # of what a script of Redis can unpack at once


class MalformedMessageError(Exception):
    """A message that kombu cannot take apart, and that would come back for ever."""


class SafeMessage(base.Message):  # type: ignore[misc] # untyped
    """Says in one way that a message cannot be read."""

    def __init__(self, payload: Any, channel: Any = None, **options: Any) -> None:
        try:
            super().__init__(payload, channel=channel, **options)
        except Exception as error:
            raise MalformedMessageError(f"{type(error).__name__}: {error}") from error


class Push(NamedTuple):
    """A message's way back into a queue."""

    command: str
    queue: str
    message: str | bytes


class Pushes(list[Push]):
    """Takes the place of kombu's pipeline, to learn what it would have sent."""

    def lpush(self, queue: str, message: str) -> None:
        self.append(Push("LPUSH", queue, message))

    def rpush(self, queue: str, message: str) -> None:
        self.append(Push("RPUSH", queue, message))


class Batches:
    """Which unacknowledged messages belong together."""

    def __init__(self) -> None:
        self._left: dict[str, set[str]] = {}
        self.spared = 0  # messages that take no place of their own

    def add(self, tags: Sequence[str]) -> None:
        """Note a batch."""
        batch = set(tags)
        self._left |= dict.fromkeys(batch, batch)
        self.spared += len(batch) - 1

    def remove(self, tag: str) -> None:
        """Note that a message, of a batch or not, was acknowledged or given back."""
        batch = self._left.pop(tag, None)
        if batch is None:
            return
        batch.remove(tag)
        if batch:
            self.spared -= 1


class SafeQoS(redis.QoS):  # type: ignore[misc] # untyped
    """Does not write on receipt what the receiving script has written already.

    Acknowledgements travel with the channel's next request; kombu waits for Redis at each of them, almost
    half of the event loop's time. One that does not arrive means a delivery more, as it always did.

    kombu restores with WATCH on the hash of all unacknowledged messages: under load, somebody else's
    acknowledgement makes each try fail, and it tries without end in the worker's event loop.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._acknowledged: list[str] = []
        self._batches = Batches()
        super().__init__(*arguments, **options)

    def count_as_one(self, tags: Sequence[str]) -> None:
        """Let messages of one batch take one place of the prefetch count, until the last is acknowledged."""
        self._batches.add(tags)

    def can_consume(self) -> bool:
        """Tell whether there is room for a message or a batch."""
        return not self.prefetch_count or self._places_taken() < self.prefetch_count

    def can_consume_max_estimate(self) -> int | None:
        """Return for how many there is room; None if without limit."""
        return max(0, self.prefetch_count - self._places_taken()) if self.prefetch_count else None

    def _places_taken(self) -> int:
        return len(self._delivered) - len(self._dirty) - self._batches.spared

    def append(self, message: Any, delivery_tag: str) -> None:
        """Note a message that was delivered."""
        if delivery_tag in self.channel.recorded_tags:
            virtual.QoS.append(self, message, delivery_tag)
        else:
            super().append(message, delivery_tag)

    def ack(self, delivery_tag: str) -> None:
        """Acknowledge with the next request, or at once if there will be none."""
        self._acknowledged.append(delivery_tag)
        virtual.QoS.ack(self, delivery_tag)
        self._batches.remove(delivery_tag)
        if self.channel.closed or not self.channel.active_queues:
            self.flush_acknowledged()

    def reject(self, delivery_tag: str, requeue: bool = False) -> None:
        """Give a message back, or drop it."""
        super().reject(delivery_tag, requeue=requeue)
        self._batches.remove(delivery_tag)

    @property
    def has_acknowledged(self) -> bool:
        """Tell whether there is something to send."""
        return bool(self._acknowledged)

    def take_acknowledged(self) -> list[str]:
        """Return what is to be sent; who takes it and cannot send it gives it back."""
        taken, self._acknowledged = self._acknowledged[:MOST_TAGS], self._acknowledged[MOST_TAGS:]
        return taken

    def give_back_acknowledged(self, tags: list[str]) -> None:
        """Take tags of which it is not known whether they arrived; sending them twice does no harm."""
        self._acknowledged[:0] = tags

    def flush_acknowledged(self) -> None:
        """Send what is to be sent, and wait until it has arrived."""
        while tags := self.take_acknowledged():
            try:
                with self.channel.conn_or_acquire() as client:
                    pipe = client.pipeline(transaction=False)
                    # what an accident in between leaves in the index alone is dropped when its time comes
                    pipe.hdel(self.unacked_key, *tags).zrem(self.unacked_index_key, *tags).execute()
            except self.channel.connection_errors:
                self.give_back_acknowledged(tags)
                raise

    def restore_unacked_once(self, stderr: Any = None) -> None:
        """Give back what was not acknowledged when the channel is closed."""
        try:
            self.flush_acknowledged()
        except self.channel.connection_errors as error:
            log.warning("acknowledgements did not arrive", messages=len(self._acknowledged), error=str(error))
        super().restore_unacked_once(stderr)

    def restore_visible(self, start: int = 0, num: int | None = None, interval: int = 1) -> None:
        """Restore what nobody has renewed for the visibility timeout, by the server's clock."""
        self._vrestore_count += 1
        if (self._vrestore_count - 1) % (interval or 1):
            return
        with self.channel.conn_or_acquire() as client:
            latest = server_time(client) - self.visibility_timeout
            for tag in client.zrange(
                self.unacked_index_key, "-inf", latest, byscore=True, offset=num and start, num=num
            ):
                self.restore_by_tag(tag, client)

    def restore_by_tag(self, tag: Any, client: Any = None, leftmost: bool = False) -> None:
        """Give a message back to its queue; nothing happens if it was acknowledged meanwhile."""
        with self.channel.conn_or_acquire(client) as connected:
            recorded = connected.hget(self.unacked_key, tag)
            pushes = Pushes()
            if recorded is not None:
                message, exchange, routing_key = json.loads(recorded)
                self.channel._do_restore_message(message, exchange, routing_key, pushes, leftmost)
                if not pushes:
                    log.error("message has no queue to go back to, kept as unacknowledged", tag=str(tag))
                    return
            self.move(tag, pushes, connected)

    def move(self, tag: Any, pushes: list[Push], client: Any) -> None:
        """Move a message from the record into lists."""
        keys = [self.unacked_key, self.unacked_index_key, *(push.queue for push in pushes)]
        arguments = [text for push in pushes for text in (push.command, push.message)]
        client.register_script(redis_script("restore").text)(keys, [tag, *arguments])


def server_time(client: Any) -> float:
    """Return the server's clock in seconds: it is one for all workers, whatever theirs say."""
    seconds, microseconds = client.time()
    return float(seconds + microseconds / 1_000_000)
