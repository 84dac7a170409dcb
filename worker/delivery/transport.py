"""kombu's Redis transport with a safe receipt; publishers and Flower may use kombu's own beside it."""

from typing import Any

from kombu.transport import redis

from worker.delivery.channel import LOOK_AGAIN_SECONDS, LOOK_AGAIN_WITHOUT_CALLS_SECONDS, SafeChannel


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
    """What `broker_transport` names."""

    Channel = SafeChannel
    brpop_timeout = LOOK_AGAIN_SECONDS

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.cycle = SafePoller()
