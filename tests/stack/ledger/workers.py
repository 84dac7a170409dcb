"""Workers whose attempts stop in the middle of the task until they are told how to go on."""

import secrets
from contextlib import suppress
from typing import TYPE_CHECKING, Any, cast

from prometheus_client import CollectorRegistry
from pydantic import BaseModel
from sqlalchemy.exc import SQLAlchemyError

from app.attempts.repository import AttemptRepository
from app.database.sessions import WriteSession
from app.models import Product, TaskStatus
from app.products.repository import ProductRepository
from app.tasks.context import PermanentTaskError, TaskContext
from app.tasks.registry import TaskDefinition, task
from tests.stack.ledger.attempts import Attempt, Order
from tests.stack.ledger.faults import Crash, FaultyDatabase
from tests.stack.ledger.records import Record
from worker.delivery.attempt_leases import AttemptLeases
from worker.execution import Execution
from worker.fork_guard import ForkGuard
from worker.message import Delivery
from worker.metrics import ParentMetrics, TaskMetrics
from worker.outcome import Outcome

if TYPE_CHECKING:
    from redis import Redis

    from app.database.routing import Database

TASK = "make_once"
LEASE_SECONDS = 60.0


class Owner(BaseModel):
    """Whom the product is made for."""

    user_id: int


class TrialWorker:
    """The worker's own code under one owner, with attempts at rest."""

    def __init__(self, database: FaultyDatabase, queue_name: str) -> None:
        self._database = database
        self._queue_name = queue_name
        self.attempts: list[Attempt] = []
        self.replace()

    def replace(self) -> None:
        """Begin anew as the successor of a worker that is gone."""
        self._owner = f"trial:{secrets.token_hex(8)}"
        metrics, tasks = ParentMetrics(self._running, []), TaskMetrics(CollectorRegistry())
        database = cast("Database", self._database)
        self._leases = AttemptLeases(
            database, self._owner, LEASE_SECONDS, self._running, metrics, tasks=tasks, guard=ForkGuard()
        )
        self._execution = Execution(
            database,
            cast("Redis", None),
            tasks,
            owner=self._owner,
            worker="trial",
            lease_seconds=LEASE_SECONDS,
            pause=lambda _: None,
        )

    def holds(self, attempt: Attempt, record: Record) -> bool:
        """Tell whether the ledger says that this attempt is the one that may change the task."""
        return (record.status, record.lease_owner, record.attempts) == (
            TaskStatus.RUNNING,
            self._owner,
            attempt.number,
        )

    def receive(self, task_id: str) -> Attempt:
        """Handle a message until its task rests, or to the end if it is not run."""

        def handle(attempt: Attempt) -> Outcome:
            return self._execution.handle(definition(attempt), Delivery(task_id, self._queue_name))

        attempt = Attempt(handle, task_id)
        if not attempt.has_ended:
            self.attempts.append(attempt)
        return attempt

    def go_on(self, attempt: Attempt, order: Order) -> None:
        self.attempts.remove(attempt)
        attempt.go_on(order)

    def renew(self) -> None:
        self._leases.renew()

    def lose_process(self, attempt: Attempt) -> None:
        """Let the process of one attempt die, and the parent record it."""
        self.go_on(attempt, Order.CRASH)
        self._leases.report_lost(attempt.task_id, "WorkerLostError: killed")
        self._leases._take_reports()
        self._leases.renew()

    def die(self) -> list[str]:
        """Die with all attempts; returns whose messages were unacknowledged."""
        held = [attempt.task_id for attempt in self.attempts]
        for attempt in tuple(self.attempts):
            self.go_on(attempt, Order.CRASH)
        self.replace()
        return held

    def stop(self) -> list[str]:
        """End in order: what runs is interrupted and given back."""
        held = [attempt.task_id for attempt in self.attempts]
        for attempt in tuple(self.attempts):
            self.go_on(attempt, Order.CRASH)
        with suppress(Crash, SQLAlchemyError), self._database.write() as session:
            AttemptRepository(session).release(self._owner)
            session.commit()
        self.replace()
        return held

    def _running(self) -> list[str]:
        return [attempt.task_id for attempt in self.attempts]


def definition(attempt: Attempt | None = None) -> TaskDefinition:
    """Return the task, which makes a product, as one attempt runs it."""

    @task(TASK)
    def make_once(session: WriteSession, payload: Owner, context: TaskContext) -> None:
        order = attempt.rest(context.attempt) if attempt else Order.SUCCEED
        if order is Order.CRASH:
            raise Crash
        if order is Order.FAIL:
            raise ValueError(order.value)
        if order is Order.FAIL_FOR_GOOD:
            raise PermanentTaskError(order.value)
        ProductRepository(session).add(_product(payload, context.task_id))
        if order is Order.CRASH_AFTER_EFFECT:
            raise Crash

    return make_once


def _product(payload: Owner, task_id: str) -> Product:
    columns: dict[str, Any] = {
        "name": "once",
        "description": "",
        "price": 1,
        "quantity": 1,
        "category": "Toys",
    }
    return Product(user_id=payload.user_id, task_id=task_id, **columns)
