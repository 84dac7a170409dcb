"""Celery as its user guide has it: late acknowledgement, tasks of lost processes come back, no results."""

import blocking
import pymysql
from celery import Celery, Task
from settings import QUEUE_URL, RECOVERY_SECONDS

app = Celery("products", broker=QUEUE_URL)
app.conf.update(
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
)
if RECOVERY_SECONDS:
    # without the last two it looks for what is overdue only every 100 s
    app.conf.broker_transport_options = {
        "visibility_timeout": RECOVERY_SECONDS,
        "unacked_restore_interval": 1,
        "unacked_restore_throttle": 1,
    }


@app.task(bind=True, autoretry_for=(pymysql.OperationalError,), max_retries=3, default_retry_delay=60)
def create_product(self: Task, user_id: int) -> None:
    blocking.create_product(user_id, self.request.id)


@app.task
def nothing() -> None:
    pass


def fill(count: int) -> None:
    """Send tasks that do nothing."""
    for _ in range(count):
        nothing.delay()
