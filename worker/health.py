"""Signs of life on disk: a probe looks at a file's age instead of starting a Python."""

from pathlib import Path
from typing import Any

from celery import bootsteps

INTERVAL_SECONDS = 1.0
LOW_PRIORITY = 10


def heartbeat_step(path: Path) -> type[bootsteps.StartStopStep]:
    """Return the worker step that touches the file every second from Celery's event loop.

    It stops together with the loop, so also while Redis is away: whoever kills by the file's age
    must allow for the longest outage that is to be sat out.
    """

    class Heartbeat(bootsteps.StartStopStep):
        requires = ("celery.worker.components:Timer",)

        def __init__(self, worker: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's worker is untyped
            super().__init__(worker, **options)
            self._timer: Any = None

        def start(self, worker: Any) -> None:  # noqa: ANN401 - as above
            path.touch()
            self._timer = worker.timer.call_repeatedly(INTERVAL_SECONDS, path.touch, priority=LOW_PRIORITY)

        def stop(self, parent: Any) -> None:  # noqa: ANN401 - as above
            del parent
            if self._timer:
                self._timer.cancel()
                self._timer = None
            path.unlink(missing_ok=True)

        # Celery calls this one instead when it does not wait for tasks, as at SIGTERM.
        terminate = stop

    return Heartbeat
