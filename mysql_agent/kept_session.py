"""A connection that is kept from one look to the next: most of a look was the handshake of a new one."""

import time
from collections.abc import Callable
from threading import Lock
from typing import Protocol, TypeVar

import pymysql

from mysql_agent.connect import Session

Result = TypeVar("Result")

# A connection that a restarted server has dropped fails at once; one to a server that hangs takes its time.
BROKEN_SECONDS = 0.5


class OpensSessions(Protocol):
    def open(self) -> Session: ...


class KeptSession:
    """Used by one look at a time; after any error the next one begins with a new connection."""

    def __init__(self, server: OpensSessions, clock: Callable[[], float] = time.monotonic) -> None:
        self._server = server
        self._clock = clock
        self._session: Session | None = None
        self._turn = Lock()

    def use(self, look: Callable[[Session], Result]) -> Result:
        """Look, on a new connection if the kept one turns out to be broken.

        Raises:
            pymysql.MySQLError, OSError: the server cannot be reached, or does not answer in time.
        """
        if not self._turn.acquire(blocking=False):
            raise TimeoutError("the look before still waits for an answer")
        try:
            return self._look(look)
        finally:
            self._turn.release()

    def _look(self, look: Callable[[Session], Result]) -> Result:
        began = self._clock()
        if self._session:
            try:
                return self._on(self._session, look)
            except (pymysql.MySQLError, OSError):
                if self._clock() - began > BROKEN_SECONDS:
                    raise
        self._session = self._server.open()
        return self._on(self._session, look)

    def _on(self, session: Session, look: Callable[[Session], Result]) -> Result:
        try:
            return look(session)
        except BaseException:
            session.close()
            self._session = None
            raise
