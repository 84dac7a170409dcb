"""The API's side of the ledger: the service itself, its commits, and what its publisher does after them."""

from collections.abc import Callable
from http import HTTPStatus

from sqlalchemy.exc import SQLAlchemyError

from app.database.sessions import WriteSession
from app.models import Task
from app.outbox.repository import OutboxRepository
from app.problems import ProblemError
from app.settings import Settings
from app.tasks.broker import Message, PublishError
from app.tasks.registry import TaskRegistry
from app.tasks.service import TaskService
from tests.stack.ledger.faults import CommitFault, Crash, FaultyDatabase
from tests.stack.ledger.stand_in_queue import PublishFault, StandInQueue
from tests.stack.ledger.workers import TASK, definition


class TrialClient:
    """Accepts, cancels and replays tasks; each call returns the task if the answer arrived."""

    def __init__(self, database: FaultyDatabase, queue: StandInQueue, settings: Settings) -> None:
        self._database = database
        self._queue = queue
        self._fresh: list[Message] = []
        self.accepted: list[str] = []
        self._service = TaskService(
            TaskRegistry([definition()]), settings, self._fresh.append, self.accepted.append
        )

    @property
    def has_fresh(self) -> bool:
        return bool(self._fresh)

    def accept(self, user_id: int, key: str | None, fault: CommitFault) -> str | None:
        payload = {"user_id": user_id}
        return self._answer(
            lambda session: self._service.accept(session, TASK, payload, idempotency_key=key), fault
        )

    def cancel(self, task_id: str, fault: CommitFault) -> str | None:
        return self._answer(lambda session: self._service.cancel(session, task_id), fault)

    def replay(self, task_id: str, fault: CommitFault) -> str | None:
        return self._answer(lambda session: self._service.replay(session, task_id), fault)

    def publish_fresh(self, publish_fault: PublishFault, commit_fault: CommitFault) -> None:
        """Publish what was accepted, as the API's thread does; what fails is forgotten."""
        messages = self._fresh.copy()
        self._fresh.clear()
        if not messages:
            return
        self._queue.fault = publish_fault
        self._database.tell(commit_fault)
        try:
            self._queue.publish(messages)
            with self._database.write() as session:
                OutboxRepository(session).mark_first_publication([message.task_id for message in messages])
                session.commit()
        except (PublishError, SQLAlchemyError, Crash):
            return

    def _answer(self, call: Callable[[WriteSession], Task], fault: CommitFault) -> str | None:
        self._database.tell(fault)
        try:
            with self._database.write() as session:
                task = call(session)
                session.commit()
                return task.id
        except ProblemError as problem:
            if problem.status != HTTPStatus.CONFLICT:
                raise
        except Crash:
            self._fresh.clear()
        except SQLAlchemyError:
            if fault is CommitFault.NONE:
                raise
        return None
