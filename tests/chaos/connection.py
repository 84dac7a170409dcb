"""One connection through a proxy, and what can be done to it.

toxiproxy is a Go program, faultlib asks for Python 3.14: neither runs with what the other tests need.
"""

import asyncio
import socket
import struct
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from enum import StrEnum

HOST = "127.0.0.1"
CONNECT_SECONDS = 3.0
BETWEEN_CHUNKS = 1e-6  # keeps what is sent late in its order
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: no goodbye, and what was not sent is thrown away


class Harm(StrEnum):
    """What happens to connections for a while."""

    RESET = "reset"  # those that are open, and every new one
    DELAY = "delay"  # each chunk arrives late
    HALF_CLOSE = "half close"  # one side is told that the other has finished, which goes on talking
    SILENCE = "silence"  # what is said disappears; then they are reset


@dataclass(frozen=True)
class Cut:
    """A harm; `whole` does it in both directions, else only to the answers."""

    harm: Harm
    whole: bool = True
    delay: float = 0.0


class Side(asyncio.Protocol):
    """One of the two sockets of a connection."""

    def __init__(self, pair: "Pair", *, is_server: bool) -> None:
        self.transport: asyncio.Transport | None = None
        self.other: Side | None = None
        self.has_ended = False  # it has nothing more to say
        self.was_told = False  # that the other has not
        self._pair = pair
        self._is_server = is_server
        self._due = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        connected = transport.get_extra_info("socket")
        connected.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if self._is_server:
            transport.pause_reading()  # until there is a client to hear it

    def data_received(self, data: bytes) -> None:
        if self.other and not self._pair.swallows(answers=self._is_server):
            self._pass_on(self.other.write, data)

    def eof_received(self) -> bool:
        self.has_ended = True
        cut = self._pair.route.cut
        if cut and cut.harm is not Harm.DELAY:
            self._pair.broken = True
        elif self.other:
            self._pass_on(self.other.finish)
        return True  # the other direction stays open

    def connection_lost(self, error: Exception | None) -> None:
        self.transport = None
        self._pair.lost(self, error)

    def _pass_on(self, do: Callable[..., None], *arguments: bytes) -> None:
        """Do it now, or as late as it is to arrive."""
        loop, cut = asyncio.get_running_loop(), self._pair.route.cut
        now = loop.time()
        late = cut.delay if cut and cut.harm is Harm.DELAY and (cut.whole or self._is_server) else 0.0
        if late or self._due > now:
            self._due = max(now + late, self._due + BETWEEN_CHUNKS)
            loop.call_at(self._due, do, *arguments)
        else:
            do(*arguments)

    def write(self, data: bytes) -> None:
        if self.transport and not self.was_told and not self.transport.is_closing():
            self.transport.write(data)

    def finish(self) -> None:
        """Say that there is no more to come; when both sides have said so, it is over."""
        if self.transport and not self.was_told and not self.transport.is_closing():
            self.was_told = True
            with suppress(OSError):  # it has gone, which nobody notices who reads no more
                self.transport.write_eof()
            if self.has_ended and self.other and self.other.transport:
                self.transport.close()
                self.other.transport.close()

    def reset(self) -> None:
        if self.transport:
            connected = self.transport.get_extra_info("socket")
            connected.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            self.transport.abort()


class Pair:
    """One connection: a client's socket and one to the server."""

    def __init__(self, route: "Route") -> None:
        self.route = route
        self.muted = False  # bytes were taken away, so what follows makes no sense
        self.broken = False
        self.client = Side(self, is_server=False)
        self.server = Side(self, is_server=True)
        route.pairs.add(self)

    async def accept(self, accepted: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        try:
            if self.route.cut and self.route.cut.harm is Harm.RESET:
                raise ConnectionResetError
            async with asyncio.timeout(CONNECT_SECONDS):
                await loop.create_connection(lambda: self.server, HOST, self.route.target)
        except OSError:
            accepted.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            accepted.close()
            self.reset()
            return
        self.client.other, self.server.other = self.server, self.client
        await loop.connect_accepted_socket(lambda: self.client, accepted)
        if self.server.transport:
            self.server.transport.resume_reading()
        else:
            self.reset()

    def swallows(self, *, answers: bool) -> bool:
        cut = self.route.cut
        if cut and cut.harm is Harm.SILENCE and (cut.whole or answers):
            self.muted = self.broken = True
        return self.muted

    def half_close(self, *, whole: bool) -> None:
        self.broken = True
        (self.server if whole else self.client).finish()

    def lost(self, side: Side, error: Exception | None) -> None:
        other = self.server if side is self.client else self.client
        if other.transport and not (self.route.cut and self.route.cut.harm is Harm.SILENCE):
            other.reset() if error else other.transport.close()
        if other.transport is None:
            self.route.pairs.discard(self)

    def reset(self) -> None:
        self.client.reset()
        self.server.reset()
        self.route.pairs.discard(self)


@dataclass
class Route:
    """Where connections lead, what is done to them now, and those that are open."""

    target: int
    cut: Cut | None = None
    pairs: set[Pair] = field(default_factory=set)
