"""What the worker's parent knows of the tasks its pool is running."""

import time
from typing import Any

from celery.worker import state

TRIES = 100


def running_requests() -> tuple[Any, ...]:
    """Return Celery's active requests; safe to call from any thread."""
    for _ in range(TRIES):
        try:
            return tuple(state.active_requests)
        except RuntimeError:  # the event loop has added one meanwhile
            continue
    raise RuntimeError(f"the active requests changed during each of {TRIES} looks at them")


def running_task_ids() -> list[str]:
    """Return the ids of the tasks being run."""
    return [str(request.id) for request in running_requests()]


def running_task_names() -> list[str]:
    """Return the names of the tasks being run."""
    return [str(request.name) for request in running_requests()]


def describe_running() -> list[dict[str, Any]]:
    """Return the tasks being run as the API shows them, the longest-running first."""
    now = time.time()
    running = [
        {
            "task_id": str(request.id),
            "name": request.name,
            "seconds": round(max(0.0, now - request.time_start), 1),
        }
        for request in running_requests()
        if request.time_start
    ]
    return sorted(running, key=lambda task: -task["seconds"])
