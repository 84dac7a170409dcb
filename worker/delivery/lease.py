"""Unacknowledged messages stay this worker's for as long as it runs, however long a task takes.

Redis hands a message to another worker when it has not been acknowledged for the visibility timeout.
Nothing in Celery extends that time, so it would have to exceed the longest task; with this step it
only has to exceed the longest stall of the worker's parent process.
"""

from collections.abc import Callable
from typing import Any

import structlog
from celery import bootsteps
from celery.worker import state

from worker.delivery.unacknowledged import server_time
from worker.running import delivery_tags

log = structlog.get_logger(__name__)

SHORTEST_INTERVAL_SECONDS = 0.5
RENEWALS_PER_TIMEOUT = 4


def visibility_lease(on_failure: Callable[[], None]) -> type[bootsteps.StartStopStep]:
    """Return the consumer step that renews; `on_failure` is told of each renewal Redis did not take."""

    class VisibilityLease(bootsteps.StartStopStep):
        requires = ("celery.worker.consumer.tasks:Tasks",)

        def __init__(self, consumer: Any, **options: Any) -> None:  # noqa: ANN401 - Celery's consumer is untyped
            super().__init__(consumer, **options)
            self._timer: Any = None

        def start(self, consumer: Any) -> None:  # noqa: ANN401 - as above
            """Begin to renew, anew after each reconnect."""
            timeout = consumer.task_consumer.channel.visibility_timeout
            interval = max(SHORTEST_INTERVAL_SECONDS, timeout / RENEWALS_PER_TIMEOUT)
            self._timer = consumer.timer.call_repeatedly(interval, self.renew, (consumer,))

        def stop(self, parent: Any) -> None:  # noqa: ANN401 - as above
            del parent
            if self._timer:
                self._timer.cancel()
                self._timer = None

        # Celery calls this one instead when it does not wait for tasks, as at SIGTERM.
        terminate = stop

        def renew(self, consumer: Any) -> None:  # noqa: ANN401 - as above
            """Move the messages' time to now; what Redis does not know any more stays unknown."""
            channel = consumer.task_consumer.channel
            tags = held_tags(channel)
            if not tags:
                return
            try:
                with channel.conn_or_acquire() as client:
                    now = server_time(client)
                    client.zadd(channel.unacked_index_key, dict.fromkeys(tags, now), xx=True)
            except channel.connection_errors as error:
                on_failure()
                log.warning("messages not renewed", messages=len(tags), error=str(error))

    return VisibilityLease


def held_tags(channel: Any) -> set[str]:  # noqa: ANN401 - kombu's channel is untyped
    """Return the delivery tags of all that was received and not acknowledged.

    Messages of running tasks that came over an earlier connection are known to the requests alone.
    """
    requests = {*state.active_requests, *state.reserved_requests}
    return {
        *channel.qos._delivered,  # noqa: SLF001 - there is no public name; held by a contract test
        *(tag for request in requests if not request.acknowledged for tag in delivery_tags(request)),
    }
