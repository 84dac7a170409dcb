"""`ReadSession` and `WriteSession`: the type of a session says which member it talks to."""

from collections.abc import Callable
from typing import Literal, NoReturn

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

Role = Literal["primary", "replica"]


class ReadSession(Session):
    """Reads, in autocommit, from a replica, or from the primary where no replica will do."""

    def __init__(self, engine: Engine, role: Role) -> None:
        super().__init__(engine, autoflush=False)
        self.role: Role = role

    def flush(self, objects: object = None) -> None:
        """Refuse changes: they belong to a `WriteSession`."""
        del objects
        if self.new or self.dirty or self.deleted:
            raise TypeError("a ReadSession cannot write; ask for a WriteSession")

    def commit(self) -> NoReturn:
        """Refuse: there is nothing to commit."""
        raise TypeError("a ReadSession has nothing to commit; ask for a WriteSession")

    def position(self) -> str:
        """Return the set of transactions this session's member has applied, as GTIDs."""
        return executed_position(self)


class WriteSession(Session):
    """One transaction on the primary, committed once by the request or the task that owns it."""

    role: Role = "primary"

    def __init__(self, engine: Engine) -> None:
        super().__init__(engine, expire_on_commit=False)
        self._after_commit: list[Callable[[], None]] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once, after the commit; it must not raise, for the row is the promise."""
        self._after_commit.append(action)

    def commit(self) -> None:
        """Commit, then run what was to happen after it."""
        super().commit()
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            action()

    def position(self) -> str:
        """Return a set of GTIDs that contains this session's last commit.

        The server's whole set is read on purpose: it needs no driver internals, and a reader
        that waits for it waits at most for a few commits of others.
        """
        return executed_position(self)


def executed_position(session: Session) -> str:
    """Read the GTID set a member has executed; empty where GTIDs are off."""
    return str(session.scalar(text("SELECT @@GLOBAL.gtid_executed"))).replace("\n", "")
