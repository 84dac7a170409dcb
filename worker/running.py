"""What the worker's parent knows of the tasks its pool is running."""

import time
from typing import Any

from celery.worker import state

from worker.batches.request import BatchRequest

TRIES = 100


def running_requests() -> tuple[Any, ...]:
    """Return Celery's active requests; safe to call from any thread."""
    for _ in range(TRIES):
        try:
            return tuple(state.active_requests)
        except RuntimeError:  # the event loop has added one meanwhile
            continue
    raise RuntimeError(f"the active requests changed during each of {TRIES} looks at them")


def leased_task_ids() -> list[str]:
    """Return the ids of the tasks being run alone, each under a lease."""
    return [str(request.id) for request in running_requests() if not _is_batch(request)]


def batched_task_ids() -> list[str]:
    """Return the ids of the tasks being run in batches, whose rows are locked instead."""
    return [task_id for request in running_requests() if _is_batch(request) for task_id in _task_ids(request)]


def running_task_names() -> list[str]:
    """Return the name of each task being run."""
    return [str(request.name) for request in running_requests() for _ in _task_ids(request)]


def describe_running() -> list[dict[str, Any]]:
    """Return what each process runs, as the API shows it: of a batch the first task; the longest first."""
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


def delivery_tags(request: Any) -> list[str]:  # noqa: ANN401 - Celery's request is untyped
    """Return the delivery tags of a request's messages."""
    messages = [member.message for member in request.members] if _is_batch(request) else [request.message]
    return [message.delivery_tag for message in messages]


def _task_ids(request: Any) -> list[str]:  # noqa: ANN401 - as above
    if not _is_batch(request):
        return [str(request.id)]
    return list(dict.fromkeys(member.task_id for member in request.members))  # a message may be there twice


def _is_batch(request: Any) -> bool:  # noqa: ANN401 - as above
    return isinstance(request, BatchRequest)
