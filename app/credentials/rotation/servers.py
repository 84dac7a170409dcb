"""MySQL accounts and Redis' user, each of which may have two passwords for a while."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pymysql
from redis import AuthenticationError, Redis

from app.migrations.account import LOCK_NAME

TIMEOUT_SECONDS = 10
TURN_SECONDS = 60
ACCESS_DENIED = 1045


Passwords = Mapping[str, str]  # by their key in the Secret


class TwoPasswords(Protocol):
    """Something with one password, or for a while with two."""

    @property
    def key(self) -> str:
        """The key of its password in the Secret."""

    def accept(self, old: Passwords, new: Passwords) -> None:
        """Take the new password and keep the old one; done before, it changes nothing."""

    def discard(self, new: Passwords) -> None:
        """Keep the new password alone."""


@dataclass(frozen=True)
class Primary:
    """Where accounts are changed, and replicated from."""

    host: str
    port: int
    ca: Path | None


@dataclass(frozen=True)
class MysqlAccount:
    """An account that another one may change, or itself."""

    primary: Primary
    user: str
    key: str
    by: "MysqlAccount | None" = None

    def accept(self, old: Passwords, new: Passwords) -> None:
        if self._opens(new[self.key]):  # once more, and the new one would take the place of the old one too
            return
        self._alter("IDENTIFIED BY %s RETAIN CURRENT PASSWORD", (self.user, new[self.key]), old, new)

    def discard(self, new: Passwords) -> None:
        self._alter("DISCARD OLD PASSWORD", (self.user,), new, new)

    def _alter(self, change: str, arguments: tuple[str, ...], old: Passwords, new: Passwords) -> None:
        who = self.by or self
        password = new[who.key] if who._opens(new[who.key]) else old[who.key]  # noqa: SLF001 - one of its own kind
        with who._connected(password) as connection, connection.cursor() as cursor:  # noqa: SLF001 - as above
            _await_turn(cursor)
            cursor.execute(f"ALTER USER %s@'%%' {change}", arguments)

    def _opens(self, password: str) -> bool:
        try:
            with self._connected(password):
                return True
        except pymysql.OperationalError as error:
            if error.args[0] == ACCESS_DENIED:
                return False
            raise

    @contextmanager
    def _connected(self, password: str) -> Iterator["pymysql.Connection[Any]"]:
        connection = pymysql.connect(
            host=self.primary.host,
            port=self.primary.port,
            user=self.user,
            password=password,
            ssl={"ca": str(self.primary.ca)} if self.primary.ca else None,
            connect_timeout=TIMEOUT_SECONDS,
            read_timeout=TURN_SECONDS + TIMEOUT_SECONDS,
            write_timeout=TIMEOUT_SECONDS,
        )
        try:
            yield connection
        finally:
            connection.close()


def _await_turn(cursor: "pymysql.cursors.Cursor") -> None:
    """Let no member join meanwhile; the connection's end gives the turn back."""
    cursor.execute("SELECT GET_LOCK(%s, %s)", (LOCK_NAME, TURN_SECONDS))
    if cursor.fetchone() != (1,):
        raise TimeoutError(
            f"a member that joins, or somebody else who changes accounts, has held the lock {LOCK_NAME} "
            f"for {TURN_SECONDS} s; the rotation goes on when it is run again"
        )


@dataclass(frozen=True)
class RedisUser:
    """The one user; what is changed here lasts until the server starts anew, with the Secret's password."""

    host: str
    port: int
    key: str

    def accept(self, old: Passwords, new: Passwords) -> None:
        try:
            self._client(new[self.key]).ping()
        except AuthenticationError:
            self._client(old[self.key]).acl_setuser("default", enabled=True, passwords=[f"+{new[self.key]}"])

    def discard(self, new: Passwords) -> None:
        """Nothing: it was started anew, with the new password alone."""

    def _client(self, password: str) -> Redis:
        return Redis(
            host=self.host,
            port=self.port,
            password=password,
            socket_connect_timeout=TIMEOUT_SECONDS,
            socket_timeout=TIMEOUT_SECONDS,
        )
