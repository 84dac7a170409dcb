"""`ReadSession` and `WriteSession`: the type of a session says which member it talks to."""

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal, NoReturn

import structlog
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

log = structlog.get_logger(__name__)

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
        self._committed_as: str | None = None
        self._loaded: list[object] = []

    def after_commit(self, action: Callable[[], None]) -> None:
        """Run `action` once, after the commit; it must not raise, for the row is the promise."""
        self._after_commit.append(action)

    def keep_loaded(self) -> None:
        """Ask the database once for each row that is got by its key; else what nobody holds is forgotten."""
        event.listen(self, "loaded_as_persistent", lambda _, loaded: self._loaded.append(loaded))

    @contextmanager
    def part(self) -> Iterator[None]:
        """Undo what is done in it if it raises, and nothing else of the transaction."""
        before = list(self._after_commit)
        try:
            with self.begin_nested():
                yield
        except BaseException:
            self._after_commit = before
            raise

    def commit(self) -> None:
        """Commit, then run what was to happen after it."""
        self.flush()
        # a ServerConnection
        connection = self.connection().connection.dbapi_connection if self.in_transaction() else None
        super().commit()
        self._committed_as = getattr(connection, "own_gtid", None)
        actions, self._after_commit = self._after_commit, []
        for action in actions:
            action()

    def position(self) -> str:
        """Return a set of GTIDs that contains this session's last commit.

        Its own GTID, for members commit in one order; if it wrote nothing, all that the server has executed.
        """
        return self._committed_as or executed_position(self)


def position_after(session: WriteSession) -> str | None:
    """Return the position of a session that has committed, if it can be had."""
    try:
        return session.position()
    except SQLAlchemyError as error:
        # The commit stands; the client only loses the promise to read it back at once.
        log.warning("position after commit unknown", error=error)
        return None


def executed_position(session: Session) -> str:
    """Read the GTID set a member has executed; empty where GTIDs are off."""
    return _global_gtids(session, "gtid_executed")


def _global_gtids(session: Session, variable: Literal["gtid_executed", "gtid_owned"]) -> str:
    return str(session.scalar(text(f"SELECT @@GLOBAL.{variable}"))).replace("\n", "")
