"""The three members of the stack's MySQL group, as a test sees and hurts them."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2 as httpx
import pymysql

from stack.place import HERE
from stack.supervisor import Stack
from tests.stack.waiting import wait_until

ORDINALS = (0, 1, 2)


def handover_directory(stack_directory: Path, ordinal: int) -> Path:
    """Return where an agent is asked to release its server, as the hook of a container asks."""
    return stack_directory / "handover" / str(ordinal)


class Group:
    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self._admin = stack.env_for("mysql-init-0")

    def prepare_table(self) -> None:
        """Make an empty table for rows whose writing was acknowledged."""
        with self.session("mysql-primary") as cursor:
            cursor.execute(f"DROP TABLE IF EXISTS {self.table()}")
            cursor.execute(f"CREATE TABLE {self.table()} (id BIGINT PRIMARY KEY)")

    def server(self, ordinal: int) -> str:
        return f"mysql-{ordinal}"

    def agent(self, ordinal: int) -> str:
        return f"agent-{ordinal}"

    def host(self, name: str) -> str:
        return self.stack.config.places.get(name, HERE).host

    def datadir(self, ordinal: int) -> Path:
        return Path(self.stack.env_for(f"mysql-init-{ordinal}")["MYSQL_INIT_DATADIR"])

    @contextmanager
    def asked_for_release(self, ordinal: int) -> Iterator[Path]:
        """Announce that a server will be stopped, and give the file by which the agent agrees."""
        directory = handover_directory(self.stack.directory, ordinal)
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "stopping").touch()
        try:
            yield directory / "released"
        finally:
            (directory / "stopping").unlink(missing_ok=True)

    def ask(self, ordinal: int, path: str) -> httpx.Response:
        host, port = self.host(self.server(ordinal)), self.stack.ports[self.agent(ordinal)]
        return httpx.get(f"http://{host}:{port}{path}", timeout=5)

    def decision(self, ordinal: int) -> dict[str, str]:
        """What the agent decided last; nothing while it does not answer."""
        try:
            return dict(self.ask(ordinal, "/").json()["decision"])
        except (httpx.HTTPError, ValueError):
            return {"action": "", "reason": "", "message": ""}

    def metric(self, ordinal: int, series: str) -> float:
        lines = self.ask(ordinal, "/metrics").text.splitlines()
        return next(float(line.rpartition(" ")[2]) for line in lines if line.startswith(f"{series} "))

    def answers(self, path: str) -> list[int]:
        """The members whose agents answer 200."""
        return [ordinal for ordinal in ORDINALS if self._is_ok(ordinal, path)]

    def primary(self) -> int:
        (ordinal,) = self.answers("/primary")
        return ordinal

    def wait_complete(self, deadline_seconds: float = 120) -> float:
        started = time.monotonic()

        def complete() -> bool:
            # what an agent saw before is no news of now
            return all(self._is_complete(ordinal, time.monotonic() - started) for ordinal in ORDINALS)

        return wait_until(complete, "three members online", deadline_seconds)

    @contextmanager
    def session(
        self, port: str, *, as_agent: bool = False, read_timeout: float = 15
    ) -> Iterator["pymysql.cursors.Cursor"]:
        """A cursor of the administrator, or of the agent, on a named port of the stack."""
        prefix = "MYSQL_AGENT" if as_agent else "DB_ADMIN"
        user, password = self._admin[f"{prefix}_USER"], self._admin[f"{prefix}_PASSWORD"]
        connection = self.connect(port, user, password, read_timeout)
        try:
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    @contextmanager
    def application_session(self) -> Iterator["pymysql.cursors.Cursor"]:
        """A cursor of the application's account in its database, where HAProxy leads writers."""
        account = self.stack.env_for("api-1")
        connection = self.connect("mysql-primary", account["DB_USER"], account["DB_PASSWORD"])
        try:
            connection.select_db(self.database)
            with connection.cursor() as cursor:
                yield cursor
        finally:
            connection.close()

    def connect(
        self, port: str, user: str, password: str, read_timeout: float = 15
    ) -> "pymysql.Connection[Any]":
        return pymysql.connect(
            host=self.host(port),
            port=self.stack.ports[port],
            user=user,
            password=password,
            connect_timeout=3,
            read_timeout=read_timeout,
            write_timeout=15,
            autocommit=True,
        )

    @contextmanager
    def held_down(self, *names: str) -> Iterator[None]:
        """Kill parts and keep them down."""
        for name in names:
            self.stack.service(name).pause_restart()
        for name in names:
            self.stack.service(name).kill()
        try:
            yield
        finally:
            for name in names:
                self.stack.service(name).resume_restart()

    @property
    def database(self) -> str:
        return self._admin["DB_NAME"]

    def table(self) -> str:
        return f"`{self.database}`.acknowledged"

    def rows(self, ordinal: int) -> set[int]:
        with self.session(self.server(ordinal)) as cursor:
            cursor.execute(f"SELECT id FROM {self.table()}")  # noqa: S608 - a name of our own
            return {row[0] for row in cursor.fetchall()}

    def _is_complete(self, ordinal: int, seconds: float) -> bool:
        try:
            status = self.ask(ordinal, "/").json()
        except (httpx.HTTPError, ValueError):
            return False
        return bool(status["decision"]["reason"] == "complete" and status["age_seconds"] < seconds)

    def _is_ok(self, ordinal: int, path: str) -> bool:
        try:
            return self.ask(ordinal, path).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False
