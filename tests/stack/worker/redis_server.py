"""A Redis that a test starts for itself, to kill, stop and fill it as it likes."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Self

import redis

from stack.packages import find_daemons
from tests.stack.worker.processes import free_port


class OwnRedis:
    """Keeps an append-only file, as the chart's Redis does."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self.port = free_port()
        self._popen: subprocess.Popen[bytes] | None = None
        self.client = redis.Redis(port=self.port, socket_timeout=5, decode_responses=True)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self.kill()

    def start(self) -> None:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": self._folder,
            "appendonly": "yes",
            "save": "",
        }
        argv = find_daemons(lambda _: None).argv["redis-server"]
        self._popen = subprocess.Popen(
            [*argv, *(text for name, value in options.items() for text in (f"--{name}", str(value)))],
            stdout=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        if self._popen:
            self._popen.kill()
            self._popen.wait(10)

    def freeze(self, *, frozen: bool) -> None:
        assert self._popen
        os.kill(self._popen.pid, signal.SIGSTOP if frozen else signal.SIGCONT)

    def calls(self, command: str) -> int:
        """Return how often a command was called, by clients and scripts."""
        statistics = self.client.info("commandstats")
        assert isinstance(statistics, dict)
        return int(statistics.get(f"cmdstat_{command}", {}).get("calls", 0))
