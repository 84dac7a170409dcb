"""`python -m worker.flower`: Flower behind a password, for looking only."""

import signal
import sys
from typing import Any

import structlog
from celery import Celery
from flower.api.tasks import GetQueueLengths  # type: ignore[import-untyped] # it has no types
from flower.app import Flower  # type: ignore[import-untyped] # as above
from flower.command import extract_settings  # type: ignore[import-untyped] # as above
from flower.options import options  # type: ignore[import-untyped] # as above
from flower.urls import settings as flower_settings  # type: ignore[import-untyped] # as above
from flower.views.broker import BrokerView  # type: ignore[import-untyped] # as above
from kombu.exceptions import OperationalError
from redis.exceptions import RedisError

from app.settings import Settings, load_settings
from app.tasks.registry import TaskDefinition, TaskRegistry
from structured_logging.configuration import begin
from worker.celery_app import create_celery
from worker.message import Delivery
from worker.outcome import Outcome

log = structlog.get_logger(__name__)

URL_PREFIX = "flower"
MOST_TASKS_IN_MEMORY = 5000
FORGET_WORKERS_AFTER_SECONDS = 300


class RefusedError(Exception):
    """Flower must not start like this."""


class EveryQueue:
    """Flower itself leaves a queue out that no worker takes from: the one that has to be looked at."""

    capp: Celery

    def get_active_queue_names(self) -> list[str]:
        """Return the queues that tasks of this release use."""
        return sorted(queue.name for queue in self.capp.conf.task_queues)


class AllQueues(EveryQueue, BrokerView):  # type: ignore[misc] # Flower has no types
    """The page of queues."""


class AllQueueLengths(EveryQueue, GetQueueLengths):  # type: ignore[misc] # as above
    """The same as JSON."""


def flower_options(settings: Settings) -> dict[str, Any]:
    """Return Flower's options.

    Raises:
        RefusedError: there is no password, or none that Flower can compare.
    """
    if settings.flower_basic_auth is None:
        raise RefusedError("Flower does not start without a password: set FLOWER_BASIC_AUTH=user:password")
    user, separator, password = settings.flower_basic_auth.get_secret_value().partition(":")
    if not (user and separator and password):
        raise RefusedError("FLOWER_BASIC_AUTH is no user:password, for example admin:a-long-password")
    if not (user + password).isascii():
        raise RefusedError("FLOWER_BASIC_AUTH has letters beyond ASCII, which Flower takes from nobody")
    return {
        "port": settings.flower_port,
        "address": settings.flower_host,
        "url_prefix": URL_PREFIX,
        "basic_auth": [f"{user}:{password}"],
        "read_only": True,
        # It has every worker send an event for each step of each task.
        "enable_events": settings.flower_events,
        "max_tasks": MOST_TASKS_IN_MEMORY,
        "purge_offline_workers": FORGET_WORKERS_AFTER_SECONDS,
    }


def main() -> int:
    """Run Flower; returns its exit code."""
    settings = begin("flower", load_settings, replica="replica_name")
    try:
        values = flower_options(settings)
    except RefusedError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for name, value in values.items():
        setattr(options, name, value)
    extract_settings()
    celery = create_celery(settings, TaskRegistry.load(settings.all_task_modules), _run_nothing)
    _serve(celery)
    if settings.flower_events:
        _turn_events_off(celery)
    return 0


def _serve(celery: Celery) -> None:
    flower = Flower(capp=celery, options=options, **flower_settings)
    flower.add_handlers(
        ".*",
        [(f"/{URL_PREFIX}/broker", AllQueues), (f"/{URL_PREFIX}/api/queues/length", AllQueueLengths)],
    )
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        flower.start_http_server()
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        flower.stop()


def _turn_events_off(celery: Celery) -> None:
    """Undo what Flower told the workers, which would else pay for events until they are started anew."""
    try:
        # a new one: those that are kept may be from before Redis was started anew
        with celery.connection_for_write() as connection:
            celery.control.disable_events(connection=connection)
    except (OperationalError, RedisError) as error:
        log.warning("workers go on sending events until they are started anew", error=error)


def _run_nothing(_definition: TaskDefinition, _delivery: Delivery) -> Outcome:
    raise NotImplementedError("Flower looks on and runs no tasks")


if __name__ == "__main__":
    sys.exit(main())
