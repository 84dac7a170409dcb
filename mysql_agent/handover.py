"""Two files by which the server's container and the agent agree on when the server may stop."""

import time
from collections.abc import Callable
from pathlib import Path

from mysql_agent.cluster import Answer

# Of the server's uptime only whole seconds are known.
UPTIME_ERROR_SECONDS = 1.0
# HAProxy asks twice a second, and a Service's endpoints need a moment to be known on every node. Who is led
# to a server that ends already waits for its answer until it has ended: 4 s were seen.
DRAIN_SECONDS = 1.5


class Handover:
    """`stopping` is made by whoever wants to stop the server, `released` by the agent when that may happen.

    Both are for one run of the server: a server that started after `stopping` was made clears them.
    """

    def __init__(
        self,
        directory: Path | None,
        clock: Callable[[], float] = time.time,
        *,
        before_release: Callable[[], object] | None = None,
        rest: Callable[[float], object] = time.sleep,
    ) -> None:
        self._before_release = before_release
        self._rest = rest
        self._stopping = directory / "stopping" if directory else None
        self._released = directory / "released" if directory else None
        self._clock = clock

    def stopping_seconds(self, server: Answer | None) -> float | None:
        """Return for how long the server has been about to be stopped, or None if it is not."""
        age = self._age()
        if age is None:
            self._clear()  # what was released before is not released for the next time
            return None
        uptime = server.uptime_seconds if server else None
        if uptime is not None and age > uptime + UPTIME_ERROR_SECONDS:
            self._clear()
            return None
        return max(0.0, age)

    def is_asked_for(self) -> bool:
        """Tell whether somebody waits for `released`."""
        return self._age() is not None and not (self._released and self._released.exists())

    def release(self) -> None:
        """Let the server go, once nobody new is led to it."""
        if self._before_release:
            self._before_release()
        self._rest(DRAIN_SECONDS)
        if self._released:
            self._released.touch()

    def _age(self) -> float | None:
        try:
            return self._clock() - self._stopping.stat().st_mtime if self._stopping else None
        except FileNotFoundError:
            return None

    def _clear(self) -> None:
        for path in (self._released, self._stopping):
            if path:
                path.unlink(missing_ok=True)
