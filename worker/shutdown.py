"""How the worker ends: a bounded time for what runs, then everything else goes back to the queue."""

import json
import os
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import celery.apps.worker
from celery.worker import state

# Celery's own strings for a person at a terminal, who would see them out of place in a JSON log.
SAY = "safe_say"


class GracefulWorker(celery.apps.worker.Worker):
    """Ends the soft shutdown as soon as nothing runs any more, instead of always taking its full time."""

    def __init__(self, wait_until_idle: Callable[[float], bool], **options: Any) -> None:  # noqa: ANN401 - Celery's options
        self._wait_until_idle = wait_until_idle
        super().__init__(**options)

    def wait_for_soft_shutdown(self) -> bool:
        """Wait, inside the signal handler, for running tasks; Celery then cancels what is left."""
        if not state.active_requests:
            return True
        return self._wait_until_idle(self.app.conf.worker_soft_shutdown_timeout)


def say_in_json(name: str) -> None:
    """Turn what Celery says from its signal handlers into lines of the log.

    Written with one system call: a signal may have interrupted a write of the log itself.
    """

    def say(message: str, _file: object = None) -> None:
        line = {
            "event": message.strip(),
            "logger": "celery.apps.worker",
            "level": "info",
            "process": "worker",
            "replica": name,
            "timestamp": datetime.now(UTC).isoformat(),
        }
        os.write(sys.__stdout__.fileno() if sys.__stdout__ else 1, f"{json.dumps(line)}\n".encode())

    setattr(celery.apps.worker, SAY, say)
