"""As little HTTP as a client can do, so that it uses as little of the cores as possible."""

import asyncio
from typing import NamedTuple, Self

TIMEOUT_SECONDS = 30


class Answer(NamedTuple):
    status: int
    body: bytes


class Connection:
    """One kept-alive connection that sends requests that are bytes already."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @classmethod
    async def open(cls, port: int) -> Self:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            return cls(*await asyncio.open_connection("127.0.0.1", port))

    async def exchange(self, request: bytes) -> Answer:
        async with asyncio.timeout(TIMEOUT_SECONDS):
            self._writer.write(request)
            head = await self._reader.readuntil(b"\r\n\r\n")
            return Answer(status_of(head), await self._reader.readexactly(length_of(head)))

    def close(self) -> None:
        self._writer.close()


def request(method: str, path: str) -> bytes:
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 0\r\n\r\n".encode()


def status_of(head: bytes) -> int:
    return int(head[9:12])


def length_of(head: bytes) -> int:
    """Read the length of the body; a chunked answer would be read wrongly, so it is refused."""
    for line in head.lower().split(b"\r\n"):
        if line.startswith(b"content-length:"):
            return int(line[15:])
    raise ValueError(f"an answer without Content-Length: {head[:80]!r}")
