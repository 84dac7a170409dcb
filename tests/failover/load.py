"""Clients that never rest: some on the database's primary port, some on the API."""

import itertools
import secrets
import threading
import time
from collections.abc import Callable

import httpx2 as httpx
import pymysql

from app.database.causality import HEADER
from tests.failover.journal import Exchange, Insert, Journal
from tests.stack.mysql_group import Group

TABLE = "failover_rows"
SQL_WRITERS = 2
SQL_PAUSE_SECONDS = 0.04
HTTP_PAUSE_SECONDS = 0.1
PAUSE_AFTER_REFUSAL_SECONDS = 0.2
# longer than anything may take, so that what takes too long is seen
CLIENT_SECONDS = 60.0
JOIN_SECONDS = 2 * CLIENT_SECONDS


class Load:
    """Some threads of each kind of client, and their journal."""

    def __init__(self, group: Group, user_id: int) -> None:
        self.journal = Journal()
        self.mark = f"f{secrets.token_hex(4)}"  # in all that this load writes
        self._group = group
        self._user_id = user_id
        self._numbers = itertools.count(1)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Begin, or go on after a stop."""
        self._stopping.clear()
        clients: list[Callable[[], None]] = [self._insert] * SQL_WRITERS
        clients += [self._make_users, self._order_tasks, self._read]
        self._threads = [threading.Thread(target=client, daemon=True) for client in clients]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """End; whoever waits for an answer gets it first."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(JOIN_SECONDS)

    # Database -----------------------------------------------------------------------------------------

    def _insert(self) -> None:
        while not self._stopping.is_set():
            try:
                with self._group.application_session() as cursor:
                    self._insert_until_it_fails(cursor)
            except pymysql.MySQLError:
                self._stopping.wait(0.05)

    def _insert_until_it_fails(self, cursor: "pymysql.cursors.Cursor") -> None:
        while not self._stopping.wait(SQL_PAUSE_SECONDS):
            # never again: a lost connection leaves open whether it was committed
            number, sent = next(self._numbers), time.monotonic()
            error = ""
            try:
                cursor.execute(f"INSERT INTO {TABLE} (id) VALUES (%s)", (number,))  # noqa: S608 - a name of our own
            except pymysql.MySQLError as failure:
                error = str(failure)
                raise
            finally:
                self.journal.inserts.append(Insert(number, sent, time.monotonic(), error))

    # API ----------------------------------------------------------------------------------------------

    def _make_users(self) -> None:
        """Create users, and read each one back from wherever the API likes."""
        with self._client() as client:
            while not self._stopping.wait(HTTP_PAUSE_SECONDS):
                body = {"name": self.mark, "email": f"{self.mark}-{next(self._numbers)}@example.com"}
                answer = self._write(client, "user", client.build_request("POST", "/api/users", json=body))
                if answer is None:
                    self._stopping.wait(PAUSE_AFTER_REFUSAL_SECONDS)
                    continue
                user_id = int(answer.json()["id"])
                self.journal.users.append(user_id)
                if token := answer.headers.get(HEADER):
                    self._read_back(client, user_id, token)

    def _read_back(self, client: httpx.Client, user_id: int, token: str) -> None:
        params = {"after": user_id - 1, "limit": 1}
        answer = self._ask(client, "own write", params, {HEADER: token})
        if answer is None:
            return
        if [user["id"] for user in answer.json()["items"]] == [user_id]:
            self.journal.read_back += 1
        else:
            role = answer.headers.get("X-Database-Role")
            self.journal.not_read_back.append(f"user {user_id} on the {role}: {answer.text[:200]}")

    def _order_tasks(self) -> None:
        """Order tasks, each with a key of its own until it is accepted, and some once more."""
        path = f"/api/users/{self._user_id}/create-product"
        with self._client() as client:
            while not self._stopping.is_set():
                key = f"{self.mark}-{next(self._numbers)}"
                while not self._stopping.wait(HTTP_PAUSE_SECONDS):
                    order = client.build_request("POST", path, headers={"Idempotency-Key": key})
                    answer = self._write(client, "task", order)
                    if answer:
                        self.journal.tasks.append((key, str(answer.json()["task_id"])))
                        if secrets.randbelow(10):
                            break
                    else:
                        self._stopping.wait(PAUSE_AFTER_REFUSAL_SECONDS)

    def _read(self) -> None:
        with self._client() as client:
            while not self._stopping.wait(HTTP_PAUSE_SECONDS):
                self._ask(client, "read", {"limit": 1}, {})

    def _client(self) -> httpx.Client:
        return httpx.Client(base_url=self._group.stack.url, timeout=CLIENT_SECONDS, cookies=None)

    def _write(self, client: httpx.Client, what: str, request: httpx.Request) -> httpx.Response | None:
        answer, exchange = _exchange(client, what, request)
        self.journal.writes.append(exchange)
        return answer if exchange.status in {httpx.codes.CREATED, httpx.codes.ACCEPTED} else None

    def _ask(
        self, client: httpx.Client, what: str, params: dict[str, int], headers: dict[str, str]
    ) -> httpx.Response | None:
        client.cookies.clear()  # the token is in the header, or there is none
        request = client.build_request("GET", "/api/users", params=params, headers=headers)
        answer, exchange = _exchange(client, what, request)
        self.journal.reads.append(exchange)
        return answer if exchange.status == httpx.codes.OK else None


def _exchange(
    client: httpx.Client, what: str, request: httpx.Request
) -> tuple[httpx.Response | None, Exchange]:
    sent = time.monotonic()
    try:
        answer = client.send(request)
    except httpx.HTTPError as error:
        return None, Exchange(what, sent, time.monotonic(), 0, detail=repr(error))
    retry_after = answer.headers.get("Retry-After", "")
    detail = "" if answer.is_success else answer.text[:200]
    return answer, Exchange(what, sent, time.monotonic(), answer.status_code, retry_after, detail)
