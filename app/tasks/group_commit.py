"""One transaction for all promises that wait at the same time."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.exc import SQLAlchemyError

from app.database.errors import is_unavailable
from app.database.routing import Database
from app.database.sessions import WriteSession, position_after
from app.models import Task
from app.problems import ProblemError
from app.tasks.promises import Promise
from app.tasks.repository import TaskChanges
from app.tasks.service import TaskService
from app.users.repository import UserRepository
from app.users.service import no_such_users


@dataclass(frozen=True)
class Accepted:
    """A promise that was made: its tasks are in the ledger as of a position."""

    tasks: Sequence[Task]
    position: str | None


Outcome = Accepted | Exception


class GroupCommit:
    """Writes promises into the ledger; each gets an outcome of its own."""

    def __init__(self, database: Database, service: TaskService) -> None:
        self._database = database
        self._service = service

    def write(self, promises: Sequence[Promise]) -> Sequence[Outcome]:
        """Write all of them together, or each alone where one keeps the others out.

        Raises:
            SQLAlchemyError: the primary is lost, and nobody may be told that anything was accepted.
        """
        # one of the requests stands for all in traces and in the comments of statements
        outcomes = promises[0].context.run(self._write_together, promises)
        if outcomes is None:
            return self._write_each(promises)
        for promise, outcome in zip(promises, outcomes, strict=True):
            if isinstance(outcome, Accepted):
                promise.context.run(self._service.announce, outcome.tasks)
        return outcomes

    def _write_together(self, promises: Sequence[Promise]) -> Sequence[Outcome] | None:
        """Return None if a statement failed, before anything was committed."""
        with self._database.write() as session:
            try:
                refused = _insert(session, promises)
            except SQLAlchemyError as error:
                if is_unavailable(error):
                    raise
                return None
            session.commit()
            position = position_after(session) if len(refused) < len(promises) else None
        return [
            refused.get(number) or Accepted(promise.tasks, position)
            for number, promise in enumerate(promises)
        ]

    def _write_each(self, promises: Sequence[Promise]) -> Sequence[Outcome]:
        outcomes: list[Outcome] = []
        for promise in promises:
            lost = outcomes and isinstance(outcomes[-1], Exception) and is_unavailable(outcomes[-1])
            # who is behind somebody who waited in vain for the primary does not wait once more
            outcomes.append(outcomes[-1] if lost else promise.context.run(self._write_alone, promise))
        return outcomes

    def _write_alone(self, promise: Promise) -> Outcome:
        try:
            with self._database.write() as session:
                tasks = self._service.write(session, promise)
                session.commit()
                return Accepted(tasks, position_after(session))
        except (ProblemError, SQLAlchemyError) as error:
            return error


def _insert(session: WriteSession, promises: Sequence[Promise]) -> dict[int, ProblemError]:
    """Insert all tasks but those for users that do not exist; return who is refused, by number."""
    wanted = frozenset[int]().union(*(promise.user_ids for promise in promises))
    unknown = wanted - UserRepository(session).known(wanted) if wanted else wanted
    refused = {
        number: no_such_users(promise.user_ids & unknown)
        for number, promise in enumerate(promises)
        if promise.user_ids & unknown
    }
    tasks = [
        task for number, promise in enumerate(promises) if number not in refused for task in promise.tasks
    ]
    if tasks:
        TaskChanges(session).insert(tasks)
    return refused
