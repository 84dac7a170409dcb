"""Connections to MySQL in which every step has a time limit."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pymysql
from pymysql.cursors import DictCursor

from mysql_agent.address import Address

Row = dict[str, Any]


class Server:
    """One MySQL server, asked as one account."""

    def __init__(
        self, address: Address, user: str, password: str, timeout: float, ca: Path | None = None
    ) -> None:
        self.address = address
        self.user = user
        self._password = password
        self._timeout = timeout
        # Encrypted always. The file is read at each connection, so that a renewed one is used.
        self.tls: dict[str, object] = {"ca": str(ca)} if ca else {"verify_mode": "none"}

    @contextmanager
    def session(self, read_timeout: float | None = None) -> Iterator["Session"]:
        session = self.open(read_timeout)
        try:
            yield session
        finally:
            session.close()

    def open(self, read_timeout: float | None = None) -> "Session":
        connection = pymysql.connect(
            host=self.address.host,
            port=self.address.port,
            user=self.user,
            password=self._password,
            ssl=self.tls,
            connect_timeout=self._timeout,
            read_timeout=read_timeout or self._timeout,
            write_timeout=self._timeout,
            autocommit=True,
            program_name="mysql_agent",
            cursorclass=DictCursor,
        )
        return Session(connection)


class Session:
    def __init__(self, connection: "pymysql.Connection[DictCursor]") -> None:
        self._connection = connection

    def rows(self, statement: str, *arguments: object) -> list[Row]:
        with self._connection.cursor() as cursor:
            cursor.execute(statement, arguments)
            return list(cursor.fetchall())

    def run(self, statement: str, *arguments: object) -> None:
        self.rows(statement, *arguments)

    def close(self) -> None:
        # a connection that broke is closed already, and says so when it is asked to
        with suppress(pymysql.MySQLError, OSError):
            self._connection.close()


def error_text(error: Exception) -> str:
    """The server's own words without the tuple that PyMySQL wraps around them."""
    match error.args:
        case (int(code), str(text)):
            return f"{text} [{code}]"
        case _:
            return f"{type(error).__name__}: {error}"
