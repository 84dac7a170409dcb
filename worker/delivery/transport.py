"""kombu's Redis transport with a safe receipt; publishers and Flower may use kombu's own beside it."""

from typing import Any

from celery import Celery
from kombu.transport import TRANSPORT_ALIASES, redis

from worker.delivery.channel import LOOK_AGAIN_SECONDS, LOOK_AGAIN_WITHOUT_CALLS_SECONDS, SafeChannel

NAME = "redis-safe"


class SafePoller(redis.MultiChannelPoller):  # type: ignore[misc] # untyped
    """Looks after acknowledgements, and connections that owe nothing but a call."""

    def on_poll_start(self) -> None:
        """Ask where it is due, in each turn of the event loop."""
        for channel in self._channels:
            channel.look_again_if_due()
        super().on_poll_start()
        for channel in self._channels:
            channel.acknowledge_without_request()

    def on_readable(self, fileno: int) -> Any:
        """Take a call that comes while there is no room for messages; kombu would cut the connection."""
        channel, kind = self._fd_to_chan.get(fileno, (None, None))
        if channel is not None and kind == "BRPOP" and not channel._in_poll:
            return channel.take_call()
        return super().on_readable(fileno)

    def get(self, callback: Any, timeout: float | None = None) -> None:
        """Wait, where there is no event loop, no longer than until something has to be asked again."""
        longest = LOOK_AGAIN_WITHOUT_CALLS_SECONDS
        super().get(callback, longest if timeout is None else min(timeout, longest))


class SafeTransport(redis.Transport):  # type: ignore[misc] # untyped
    """Differs from kombu's in what channel and poller do."""

    Channel = SafeChannel
    brpop_timeout = LOOK_AGAIN_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cycle = SafePoller()


def use_safe_transport(celery: Celery) -> None:
    """Have an application receive safely; in logs its broker's address begins with this name.

    Flower cannot use it: it looks for queues only where the address begins with `redis`.
    """
    TRANSPORT_ALIASES[NAME] = f"{SafeTransport.__module__}:{SafeTransport.__qualname__}"
    celery.conf.broker_transport = NAME
