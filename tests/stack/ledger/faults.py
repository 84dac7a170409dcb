"""What can befall a commit: the process dies, or the answer does."""

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum

import pymysql
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.database.routing import Database
from app.database.sessions import WriteSession


class Crash(BaseException):
    """The process dies here."""


class CommitFault(Enum):
    """How a commit ends."""

    NONE = "it is answered"
    CRASH_BEFORE = "the process dies before it"
    CRASH_AFTER = "the process dies after it"
    UNANSWERED = "done, but the connection breaks before the answer"
    LOST = "not done, and the connection breaks"
    DEADLOCK = "rolled back by the server, which says so"

    @property
    def commits(self) -> bool:
        return self in {CommitFault.NONE, CommitFault.CRASH_AFTER, CommitFault.UNANSWERED}

    @property
    def is_crash(self) -> bool:
        return self in {CommitFault.CRASH_BEFORE, CommitFault.CRASH_AFTER}


class FaultyDatabase:
    """A real database whose next commits end as told; those that nothing was said of end well."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._told: deque[CommitFault] = deque()

    def tell(self, *faults: CommitFault) -> None:
        self._told = deque(faults)

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        with self._database.write() as session:
            session.commit = lambda: self._commit(session)  # type: ignore[method-assign]
            yield session

    def _commit(self, session: WriteSession) -> None:
        fault = self._told.popleft() if self._told else CommitFault.NONE
        if fault is CommitFault.NONE:
            return WriteSession.commit(session)
        if fault.commits:
            Session.commit(session)
        else:
            session.rollback()
        if fault.is_crash:
            raise Crash(fault.value)
        code = 1213 if fault is CommitFault.DEADLOCK else 2013
        raise OperationalError("COMMIT", None, pymysql.err.OperationalError(code, fault.value))
