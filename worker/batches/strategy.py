"""What the worker's parent does with messages of a task that has a batch size."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from celery.worker import strategy
from celery.worker.state import task_reserved

from worker.batches.request import BatchRequest, Member

UNLIMITED = [None, None]


class BatchStrategy:
    """Makes jobs of the pool out of what came in one answer of Redis; there is nothing to wait for."""

    def __init__(self, task: Any, app: Any, consumer: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's own
        self._alone = strategy.default(task, app, consumer, **options)
        self._consumer = consumer
        self._make = partial(
            BatchRequest,
            run_alone=self._run_alone_soon,
            queue=task.queue_name,
            app=app,
            task=task,
            hostname=consumer.hostname,
            eventer=consumer.event_dispatcher,
            connection_errors=consumer.connection_errors,
        )
        self._size = task.batch_size
        self._waiting: list[Member] = []

    def __call__(self, message: Any, body: Any, ack: Any, reject: Any, callbacks: Any) -> None:  # noqa: ANN401 - Celery's own
        """Take a message; the event loop calls again when the whole answer has been read."""
        if body is not None or not may_be_batched(message.headers, message.delivery_info or {}):
            self._alone(message, body, ack, reject, callbacks)
            return
        if not self._waiting:
            self._consumer.hub.call_soon(self._start)
        self._waiting.append(Member(message, ack, reject))

    def _start(self) -> None:
        waiting, self._waiting = self._waiting, []
        for begin in range(0, len(waiting), self._size):
            members = waiting[begin : begin + self._size]
            message = members[0].message
            message.channel.qos.count_as_one([member.message.delivery_tag for member in members])
            request = self._make(members)
            task_reserved(request)
            self._consumer.on_task_request(request)

    def _run_alone_soon(self, members: Sequence[Member]) -> None:
        # not from within the pool, which may be looking through the jobs of a process that has died
        self._consumer.hub.call_soon(self._run_alone, members)

    def _run_alone(self, members: Sequence[Member]) -> None:
        for member in members:
            self._alone(member.message, None, member.acknowledge, member.reject, [])


def may_be_batched(headers: Mapping[str, Any], delivery_info: Mapping[str, Any]) -> bool:
    """Tell whether a message may share its process and its transaction with others.

    Not if somebody has had it before: it may be what killed him, and it would take the others along.
    """
    is_special = headers.get("eta") or headers.get("expires") or headers.get("stamped_headers")
    has_limits = (headers.get("timelimit") or UNLIMITED) != UNLIMITED
    return not (is_special or has_limits or delivery_info.get("redelivered"))
