"""A Redis of its own, with what its users cost it."""

import tempfile
import time
from pathlib import Path

from bench.failure import BenchError
from bench.redis_server import RedisServer
from stack.packages import Daemons

PER_LOOK = 2
POLL_SECONDS = 0.02
DEADLINE_SECONDS = 120
# The queue and the transport of the project's own worker.
QUEUE = "default"
SAFE = "worker.delivery.transport:SafeTransport"


class QueueServer(RedisServer):
    """Counts what is asked of it; its data goes with it."""

    def __init__(self, daemons: Daemons) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="conveyor-bench-")
        super().__init__(daemons.argv["redis-server"], Path(self._folder.name))
        self._looks = 0

    def __exit__(self, *error: object) -> None:
        super().__exit__(*error)
        self._folder.cleanup()

    def remaining(self, queue: str) -> int:
        """Count what waits or is being worked on, in one round trip."""
        pipeline = self.client.pipeline(transaction=False)
        self._looks += 1
        pipeline.llen(queue)
        pipeline.hlen("unacked")
        return sum(pipeline.execute())

    def wait_until_left(self, queue: str, most: float) -> int:
        """Wait until no more than this remains; returns what does."""
        deadline = time.monotonic() + DEADLINE_SECONDS
        while (left := self.remaining(queue)) > most:
            if time.monotonic() > deadline:
                raise BenchError(f"{left} tasks that do nothing are left after {DEADLINE_SECONDS} s")
            time.sleep(POLL_SECONDS)
        return left

    def forget_commands(self) -> None:
        """Begin to count anew."""
        self.client.config_resetstat()
        self._looks = 0

    def commands(self) -> int:
        """Count the commands since then, those in scripts as well, without the looks at what remains."""
        statistics = self.client.info("commandstats")
        return sum(int(values["calls"]) for values in statistics.values()) - PER_LOOK * self._looks
