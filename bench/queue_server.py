"""A Redis of its own, with what its users cost it."""

import subprocess
import tempfile
import time
from pathlib import Path
from typing import Self

import redis

from bench.failure import BenchError
from stack.packages import Daemons
from stack.ports import can_bind, free_ports

START_SECONDS = 20
PER_LOOK = 2


class QueueServer:
    """Keeps an append-only file, as the stack's Redis does."""

    def __init__(self, daemons: Daemons) -> None:
        self._argv = daemons.argv["redis-server"]
        self._folder = tempfile.TemporaryDirectory(prefix="conveyor-bench-")
        self.port = next(iter(free_ports(can_bind).values()))
        self._looks = 0
        self.client = redis.Redis(port=self.port, socket_timeout=5, decode_responses=True)

    def __enter__(self) -> Self:
        options = {
            "port": self.port,
            "bind": "127.0.0.1",
            "dir": Path(self._folder.name),
            "appendonly": "yes",
        }
        arguments = [text for name, value in options.items() for text in (f"--{name}", str(value))]
        self._process = subprocess.Popen([*self._argv, *arguments, "--save", ""], stdout=subprocess.DEVNULL)
        self.pid = self._process.pid
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                self.client.ping()
            except redis.ConnectionError as error:
                if time.monotonic() > deadline:
                    self.__exit__()
                    raise BenchError(f"no Redis on port {self.port}: {error}") from error
                time.sleep(0.05)
            else:
                return self

    def __exit__(self, *_: object) -> None:
        self.client.close()
        self._process.kill()
        self._process.wait(timeout=10)
        self._folder.cleanup()

    def remaining(self, queue: str) -> int:
        """Count what waits or is being worked on, in one round trip."""
        pipeline = self.client.pipeline(transaction=False)
        self._looks += 1
        pipeline.llen(queue)
        pipeline.hlen("unacked")
        return sum(pipeline.execute())

    def forget_commands(self) -> None:
        """Begin to count anew."""
        self.client.config_resetstat()
        self._looks = 0

    def commands(self) -> int:
        """Count the commands since then, those in scripts as well, without the looks at what remains."""
        statistics = self.client.info("commandstats")
        return sum(int(values["calls"]) for values in statistics.values()) - PER_LOOK * self._looks
