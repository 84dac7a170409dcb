"""`ReadSession` and `WriteSession`: the type of a session says which member it talks to."""

import re
from collections.abc import Callable
from typing import Literal, NoReturn

from sqlalchemy import Engine, text
from sqlalchemy.orm import Session

Role = Literal["primary", "replica"]
# In `gtid_owned` the thread follows each transaction: `uuid:17#42:18#43`.
OWNER = re.compile(r"#\d+")


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
        """Return a set of GTIDs that contains every transaction this session has seen the effects of.

        A member shows a transaction's rows a moment before it counts it as executed; until then it is
        owned by the thread that commits it. So what is owned is read first, and added.
        """
        owned = OWNER.sub("", _global_gtids(self, "gtid_owned"))
        return ",".join(filter(None, (executed_position(self), owned)))


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
    return _global_gtids(session, "gtid_executed")


def _global_gtids(session: Session, variable: Literal["gtid_executed", "gtid_owned"]) -> str:
    return str(session.scalar(text(f"SELECT @@GLOBAL.{variable}"))).replace("\n", "")
