"""A Redis apart from the stack's, to load, kill and stop as one likes."""

import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import redis

from bench.failure import BenchError
from stack import sessions
from stack.ports import can_bind, free_ports

START_SECONDS = 20
STOP_SECONDS = 10


class RedisServer:
    """Keeps an append-only file in a folder, as the stack's Redis does; started again, it has its data."""

    def __init__(self, argv: Sequence[str], folder: Path) -> None:
        self.port = next(iter(free_ports(can_bind).values()))
        options = {"port": self.port, "bind": "127.0.0.1", "dir": folder, "appendonly": "yes", "save": ""}
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._argv = [*argv, *arguments]
        self.client = redis.Redis(port=self.port, socket_timeout=5, decode_responses=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.kill()

    def start(self) -> None:
        """Start it and wait until it answers."""
        self.process = subprocess.Popen(self._argv, stdout=subprocess.DEVNULL, start_new_session=True)
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError as error:
                if time.monotonic() > deadline:
                    self.kill()
                    raise BenchError(f"no Redis on port {self.port}: {error}") from error
                time.sleep(0.05)
            else:
                return

    @property
    def identity(self) -> sessions.Identity:
        return sessions.identify(self.process.pid) or sessions.Identity(self.process.pid, 0.0)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(STOP_SECONDS)
