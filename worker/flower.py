"""`python -m worker.flower`: Flower behind a password, for looking only."""

import signal
import sys
from typing import Any

from flower.app import Flower  # type: ignore[import-untyped] # it has no types
from flower.command import extract_settings  # type: ignore[import-untyped] # as above
from flower.options import options  # type: ignore[import-untyped] # as above
from flower.urls import settings as flower_settings  # type: ignore[import-untyped] # as above

from app.settings import Settings, load_settings
from app.tasks.registry import TaskDefinition, TaskRegistry
from structured_logging.configuration import begin
from worker.celery_app import create_celery
from worker.message import Delivery
from worker.outcome import Outcome

URL_PREFIX = "flower"
MOST_TASKS_IN_MEMORY = 5000
FORGET_WORKERS_AFTER_SECONDS = 300


class RefusedError(Exception):
    """Flower must not start like this."""


def flower_options(settings: Settings) -> dict[str, Any]:
    """Return Flower's options.

    Raises:
        RefusedError: there is no password.
    """
    if settings.flower_basic_auth is None:
        raise RefusedError("Flower does not start without a password: set FLOWER_BASIC_AUTH=user:password")
    user, separator, password = settings.flower_basic_auth.get_secret_value().partition(":")
    if not (user and separator and password):
        raise RefusedError("FLOWER_BASIC_AUTH is no user:password, for example admin:a-long-password")
    return {
        "port": settings.flower_port,
        "address": settings.flower_host,
        "url_prefix": URL_PREFIX,
        "basic_auth": [f"{user}:{password}"],
        "read_only": True,
        # On, it would switch the events of every worker on, which cost almost half of the throughput.
        "enable_events": False,
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
    flower = Flower(capp=celery, options=options, **flower_settings)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        flower.start_http_server()
        flower.start()
    except (KeyboardInterrupt, SystemExit):
        pass
    finally:
        flower.stop()
    return 0


def _run_nothing(_definition: TaskDefinition, _delivery: Delivery) -> Outcome:
    raise NotImplementedError("Flower looks on and runs no tasks")


if __name__ == "__main__":
    sys.exit(main())
