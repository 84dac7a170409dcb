"""A task queue as the textbooks build it: Celery on Redis with the settings recommended for safety."""

import os
from typing import Any

import pymysql
from celery import Celery, Task

from tests.chaos.stock.store import insert_product, run_in_transaction

NAME = "create_product"
CONCURRENCY = 2


def create_celery() -> Celery:
    environment = os.environ
    secret = environment["REDIS_PASSWORD"]
    celery = Celery("stock", set_as_current=False)
    celery.conf.update(
        broker_url=f"redis://:{secret}@{environment['REDIS_HOST']}:{environment['REDIS_PORT']}/0",
        broker_transport_options={
            "visibility_timeout": int(environment["VISIBILITY_TIMEOUT_SECONDS"]),
            "socket_timeout": 5,
            "socket_connect_timeout": 2,
            "socket_keepalive": True,
            "health_check_interval": 10,
            # by default it takes up to 100 s until somebody looks for messages that timed out
            "unacked_restore_interval": 1,
            "unacked_restore_throttle": 1,
        },
        broker_connection_retry_on_startup=True,
        broker_connection_max_retries=None,
        task_acks_late=True,
        task_reject_on_worker_lost=True,
        task_ignore_result=True,
        task_serializer="json",
        accept_content=["json"],
        worker_concurrency=CONCURRENCY,
        worker_soft_shutdown_timeout=float(environment["WORKER_SOFT_SHUTDOWN_SECONDS"]),
    )
    celery.task(
        name=NAME,
        bind=True,
        autoretry_for=(pymysql.MySQLError,),
        max_retries=10,
        default_retry_delay=int(environment["TASK_RETRY_DELAY_SECONDS"]),
    )(create_product)
    return celery


def create_product(self: "Task[Any, Any]", user_id: int, request_id: str) -> None:
    """Insert the product and the row in the log, in one transaction."""
    task_id = str(self.request.id)
    run_in_transaction(lambda cursor: insert_product(cursor, task_id, user_id, request_id))
