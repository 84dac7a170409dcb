"""What `celery --app tests.chaos.stock.worker worker` runs."""

import os
from pathlib import Path

from celery import signals

from tests.chaos.stock.tasks import create_celery

app = create_celery()


@signals.worker_ready.connect
def _say_ready(**_: object) -> None:
    Path(os.environ["WORKER_READY_FILE"]).touch()
