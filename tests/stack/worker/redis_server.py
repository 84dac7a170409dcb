"""A Redis that a test starts for itself, to kill, stop and fill it as it likes."""

import signal
from pathlib import Path

from bench.redis_server import RedisServer
from stack.packages import find_daemons


class OwnRedis(RedisServer):
    """Can be frozen, and asked what was asked of it."""

    def __init__(self, folder: Path) -> None:
        super().__init__(find_daemons(lambda _: None).argv["redis-server"], folder)

    def freeze(self, *, frozen: bool) -> None:
        self.process.send_signal(signal.SIGSTOP if frozen else signal.SIGCONT)

    def calls(self, command: str) -> int:
        """Return how often a command was called, by clients and scripts."""
        statistics = self.client.info("commandstats")
        assert isinstance(statistics, dict)
        return int(statistics.get(f"cmdstat_{command}", {}).get("calls", 0))
