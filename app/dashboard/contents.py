"""What the pages show, gathered from the services and repositories of the API."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from app.cluster.schemas import ClusterStatus
from app.context import ApiContext
from app.dashboard.replicas import add_seen, as_replicas, seen_in_log, write_seen
from app.dashboard.stations import Station, stations
from app.dashboard.task_row import TaskRow
from app.database.sessions import ReadSession
from app.models import Product, RequestLog, User
from app.products.repository import ProductRepository
from app.requests.repository import RequestLogRepository
from app.tasks.repository import TaskRepository
from app.tasks.schemas import TaskView
from app.users.repository import UserRepository

TASKS, PRODUCTS, REQUESTS, USERS = 8, 8, 10, 200
# Enough of the log to see which replicas are at work.
LOOKED_THROUGH = 100


@dataclass(frozen=True)
class SystemState:
    """The state of every part, as stations."""

    status: ClusterStatus
    stations: Sequence[Station]
    seen: str

    @classmethod
    def ask(cls, context: ApiContext, seen: dict[str, int]) -> Self:
        """Ask every part now."""
        served_by, now = context.settings.replica_name, time.time()
        seen = add_seen(seen, served_by, now)
        status = context.cluster.status()
        members = context.settings.db_members
        return cls(status, stations(status, as_replicas(seen, served_by), members), write_seen(seen))


@dataclass(frozen=True)
class Overview:
    """What the front page shows of the tables, read from one member."""

    tasks: Sequence[TaskRow]
    users: Sequence[User]
    products: Sequence[Product]
    requests: Sequence[RequestLog]
    seen: dict[str, int]

    @classmethod
    def read(cls, reads: ReadSession) -> Self:
        """Read it all."""
        log = RequestLogRepository(reads).list(None, None, LOOKED_THROUGH)
        now = datetime.now(UTC)
        return cls(
            tasks=[
                TaskRow.of(TaskView.of(task), now, reads.role)
                for task in TaskRepository(reads).list(None, None, TASKS)
            ],
            users=UserRepository(reads).list(0, USERS),
            products=newest_products(reads),
            requests=log[:REQUESTS],
            seen=seen_in_log(log, now.timestamp()),
        )


def newest_products(reads: ReadSession) -> Sequence[Product]:
    """Return the products of the front page."""
    return ProductRepository(reads).list(None, None, PRODUCTS)


def recent_requests(reads: ReadSession) -> Sequence[RequestLog]:
    """Return the requests of the front page."""
    return RequestLogRepository(reads).list(None, None, REQUESTS)
