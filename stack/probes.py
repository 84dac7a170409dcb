"""Readiness of a part, asked from outside as a kubelet would ask."""

import csv
import http.client
import socket
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from stack.place import LOOPBACK

TIMEOUT_SECONDS = 3.0
BODY_LIMIT = 100_000
OK = 200


class Probe(Protocol):
    """One question; the answer is None when ready, else the reason why not."""

    @property
    def description(self) -> str: ...

    def check(self) -> str | None: ...


@dataclass(frozen=True)
class HttpProbe:
    port: int
    path: str
    host: str = LOOPBACK

    @property
    def description(self) -> str:
        return f"GET http://{self.host}:{self.port}{self.path} answers 200"

    def check(self) -> str | None:
        try:
            status, body = _get(self.port, self.path, self.host)
        except (OSError, http.client.HTTPException) as error:
            return _reason(error)
        return None if status == OK else f"HTTP {status}: {body[:300]}"


@dataclass(frozen=True)
class RotationProbe:
    """HAProxy sends clients to a server only after its own check of it."""

    stats_port: int
    backend: str
    server: str

    @property
    def description(self) -> str:
        return f"HAProxy sends clients to {self.server}"

    def check(self) -> str | None:
        try:
            status, body = _get(self.stats_port, "/;csv")
        except (OSError, http.client.HTTPException) as error:
            return _reason(error)
        if status != OK:
            return f"HTTP {status}"
        for row in csv.DictReader(body.splitlines()):
            if (row["# pxname"], row["svname"]) == (self.backend, self.server):
                return None if row["status"].startswith("UP") else row["status"]
        return "not one of its servers"


@dataclass(frozen=True)
class MysqlProbe:
    """A MySQL server greets every client first; the greeting proves that it accepts connections."""

    port: int
    host: str = LOOPBACK

    @property
    def description(self) -> str:
        return f"MySQL greets on port {self.port}"

    def check(self) -> str | None:
        try:
            with socket.create_connection((self.host, self.port), TIMEOUT_SECONDS) as connection:
                packet = connection.recv(5)
        except OSError as error:
            return _reason(error)
        return None if packet[4:5] == b"\x0a" else "no greeting"


@dataclass(frozen=True)
class RedisProbe:
    port: int
    password: str

    @property
    def description(self) -> str:
        return f"Redis answers PING on port {self.port}"

    def __repr__(self) -> str:
        return f"RedisProbe(port={self.port})"

    def check(self) -> str | None:
        try:
            with socket.create_connection(("127.0.0.1", self.port), TIMEOUT_SECONDS) as connection:
                connection.sendall(f"AUTH {self.password}\r\nPING\r\n".encode())
                answer = b""
                while answer.count(b"\r\n") < 2 and (data := connection.recv(200)):  # noqa: PLR2004 - one line each
                    answer += data
        except OSError as error:
            return _reason(error)
        lines = answer.decode(errors="replace").split("\r\n")
        return None if lines[:2] == ["+OK", "+PONG"] else lines[-2] if len(lines) > 1 else "no answer"


@dataclass(frozen=True)
class FileProbe:
    """The part makes the file when it is ready, and may touch it while it works."""

    path: Path
    stale_seconds: float | None = 10  # None: to exist is enough

    @property
    def description(self) -> str:
        fresh = f" and is younger than {self.stale_seconds:.0f} s" if self.stale_seconds else ""
        return f"{self.path.name} exists{fresh}"

    def check(self) -> str | None:
        try:
            age = time.time() - self.path.stat().st_mtime
        except FileNotFoundError:
            return "no such file"
        stale = self.stale_seconds is not None and age > self.stale_seconds
        return f"last touched {age:.0f} s ago" if stale else None


@dataclass(frozen=True)
class AllProbes:
    """Ready when each of several questions is answered well."""

    probes: tuple[Probe, ...]

    @property
    def description(self) -> str:
        return " and ".join(probe.description for probe in self.probes)

    def check(self) -> str | None:
        reasons = [reason for probe in self.probes if (reason := probe.check())]
        return "; ".join(reasons) or None


@dataclass(frozen=True)
class ExitProbe:
    """A part that does its work once is ready when it has ended with 0; its runner sees that itself."""

    description: str = "ends with exit code 0"

    def check(self) -> str | None:
        return "still running"


def _get(port: int, path: str, host: str = LOOPBACK) -> tuple[int, str]:
    connection = http.client.HTTPConnection(host, port, timeout=TIMEOUT_SECONDS)
    try:
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read(BODY_LIMIT).decode(errors="replace").strip()
    finally:
        connection.close()


def _reason(error: Exception) -> str:
    return str(error) or type(error).__name__
