"""When a look may go on with the connection of the look before, held against a server that is none."""

from collections.abc import Callable
from threading import Event, Thread
from typing import cast

import pymysql
import pytest

from mysql_agent.connect import Session
from mysql_agent.kept_session import BROKEN_SECONDS, KeptSession

Look = Callable[[Session], str]


class Connection:
    is_open = True

    def close(self) -> None:
        self.is_open = False


class Server:
    """Stands in for a server: it counts connections."""

    def __init__(self) -> None:
        self.opened: list[Connection] = []
        self.now = 0.0

    def open(self) -> Session:
        self.opened.append(Connection())
        return cast("Session", self.opened[-1])

    def failing(self, *, after: float) -> Look:
        """Give a look that fails on every connection so far, after so many seconds."""
        broken = list(self.opened)

        def look(session: Session) -> str:
            if cast("Connection", session) not in broken:
                return "answer"
            self.now += after
            raise pymysql.err.OperationalError(2013, "Lost connection")

        return look


@pytest.fixture
def server() -> Server:
    return Server()


@pytest.fixture
def kept(server: Server) -> KeptSession:
    kept = KeptSession(server, lambda: server.now)
    assert kept.use(lambda _: "answer") == "answer"
    return kept


def test_a_second_look_uses_the_connection_of_the_first(server: Server, kept: KeptSession) -> None:
    assert kept.use(lambda _: "again") == "again"
    assert len(server.opened) == 1


def test_a_connection_that_a_restarted_server_dropped_is_replaced_within_the_look(
    server: Server, kept: KeptSession
) -> None:
    assert kept.use(server.failing(after=0)) == "answer"
    assert [connection.is_open for connection in server.opened] == [False, True]


def test_a_server_that_hangs_is_not_waited_for_twice_in_one_look(server: Server, kept: KeptSession) -> None:
    with pytest.raises(pymysql.err.OperationalError):
        kept.use(server.failing(after=BROKEN_SECONDS + 1))
    assert [connection.is_open for connection in server.opened] == [False]
    assert kept.use(lambda _: "answer") == "answer"
    assert len(server.opened) == 2


def test_a_look_does_not_share_the_connection_of_one_that_still_waits(kept: KeptSession) -> None:
    began, end = Event(), Event()

    def slow(_: Session) -> str:
        began.set()
        end.wait(5)
        return ""

    thread = Thread(target=kept.use, args=(slow,))
    thread.start()
    began.wait(5)
    with pytest.raises(TimeoutError, match="the look before"):
        kept.use(lambda _: "answer")
    end.set()
    thread.join(5)
