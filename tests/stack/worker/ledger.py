"""The ledger as a test sees it: accept a task as the API would, and wait for what becomes of it."""

import time
from collections.abc import Mapping, Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from sqlalchemy import delete, func, select
from uuid6 import uuid7

from app.database.routing import Database
from app.metrics import DatabaseMetrics, PublishMetrics
from app.models import Product, RequestLog, Task, TaskStatus, User
from app.redis_client import connect_redis
from app.settings import Settings
from app.tasks.broker import Broker, Message
from app.tasks.repository import TaskChanges
from tests.stack.sample_tasks import starts_key
from tests.stack.waiting import wait_until

POLL_SECONDS = 0.1


def settings_of(environment: Mapping[str, str]) -> Settings:
    """Return the settings that a process with this environment has."""
    return Settings.model_validate({name.lower(): value for name, value in environment.items()})


class Ledger:
    """Tasks of one queue."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.settings = settings_of(environment)
        self.queue = self.settings.task_queue
        self.database = Database(self.settings, DatabaseMetrics(CollectorRegistry()))
        self.broker = Broker(self.settings, PublishMetrics(CollectorRegistry()))
        self.redis = connect_redis(self.settings, timeout_seconds=5)
        with self.database.write() as session:
            self.user_id: int = session.scalars(select(func.min(User.id))).one()

    def close(self) -> None:
        self.redis.delete(self.queue)
        self.redis.close()
        self.broker.close()
        self.database.dispose()

    def delete_tasks(self) -> None:
        with self.database.write() as session:
            session.execute(delete(Task).where(Task.queue == self.queue))
            session.commit()

    def accept(self, name: str, payload: Mapping[str, Any], count: int = 1, **columns: Any) -> list[str]:  # noqa: ANN401 - columns of the row
        """Insert rows that the relay will find."""
        usual = {"status": TaskStatus.QUEUED, "max_attempts": 4, "retry_delay_seconds": 0.5}
        values = {"queue": self.queue, **usual, **columns}
        ids = [str(uuid7()) for _ in range(count)]
        with self.database.write() as session:
            session.add_all(Task(id=task_id, name=name, payload=dict(payload), **values) for task_id in ids)
            session.commit()
        return ids

    def submit(self, name: str, payload: Mapping[str, Any], **columns: Any) -> str:  # noqa: ANN401 - as above
        """Accept one task and publish it at once."""
        [task_id] = self.accept(name, payload, **columns)
        self.publish(task_id, name)
        return task_id

    def submit_together(self, name: str, payloads: Sequence[Mapping[str, Any]], **columns: Any) -> list[str]:  # noqa: ANN401 - as above
        """Accept tasks and publish them behind each other."""
        ids = [self.accept(name, payload, **columns)[0] for payload in payloads]
        self.broker.publish([Message(task_id, name, self.queue) for task_id in ids])
        return ids

    def publish(self, task_id: str, name: str) -> None:
        self.broker.publish([Message(task_id, name, self.queue)])

    def task(self, task_id: str) -> Task:
        with self.database.write() as session:
            return session.get_one(Task, task_id)

    def wait_for(self, task_id: str, status: TaskStatus, deadline_seconds: float = 30) -> Task:
        deadline = time.monotonic() + deadline_seconds
        while (task := self.task(task_id)).status is not status:
            if time.monotonic() > deadline or task.status.is_final:
                raise AssertionError(f"not {status.value} but {task.status.value}: {task.error}")
            time.sleep(POLL_SECONDS)
        return task

    def cancel(self, task_id: str) -> bool:
        with self.database.write() as session:
            cancelled = TaskChanges(session).cancel(task_id)
            session.commit()
            return cancelled

    def starts(self, task_id: str) -> list[int]:
        """Return the process of each start of a sample task."""
        return [int(pid) for pid in self.redis.lrange(starts_key(task_id), 0, -1)]

    def wait_for_starts(self, task_id: str, count: int, deadline_seconds: float = 30) -> list[int]:
        wait_until(
            lambda: len(self.starts(task_id)) >= count, f"{count} starts of {task_id}", deadline_seconds
        )
        return self.starts(task_id)

    def effects(self, *task_ids: str) -> tuple[int, int]:
        """Count the products and the log rows of tasks."""
        with self.database.write() as session:
            products = session.scalar(select(func.count()).where(Product.task_id.in_(task_ids)))
            rows = session.scalar(select(func.count()).where(RequestLog.task_id.in_(task_ids)))
            return products or 0, rows or 0
