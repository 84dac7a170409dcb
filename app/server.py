"""An HTTP server that goes out of rotation before it ends."""

import asyncio
import socket
from collections.abc import Callable

import structlog
import uvicorn

log = structlog.get_logger(__name__)

TICK_SECONDS = 0.1


class DrainingServer(uvicorn.Server):
    """Answers on for a while after SIGTERM, so that every load balancer learns of the end before it comes.

    A server that closes its idle connections at once races against the requests that are on their way
    over them: these end without an answer, and nobody but the client may send them again.
    """

    def __init__(self, config: uvicorn.Config, on_drain: Callable[[], None], drain_seconds: float) -> None:
        super().__init__(config)
        self._on_drain = on_drain
        self._drain_seconds = drain_seconds

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Drain, then finish what is open; a second Ctrl-C skips the rest of the draining."""
        log.info("draining", seconds=self._drain_seconds)
        self._on_drain()
        for _ in range(round(self._drain_seconds / TICK_SECONDS)):
            if self.force_exit:
                break
            await asyncio.sleep(TICK_SECONDS)
        await super().shutdown(sockets)
