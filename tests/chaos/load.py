"""Clients of the API that never rest, and remember what they were promised."""

import http.client
import itertools
import json
import secrets
import threading
import time

from tests.chaos.journal import ACCEPTED, Journal, Order, Try

TIMEOUT_SECONDS = 8.0
PAUSE_AFTER_REFUSAL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0
# Of the requests with a key, so many are sent again although they were answered.
REPEATS = 0.05
# Every other client sends what it has to send in waves, so that work waits when something dies.
WAVE_SECONDS = 2.0
UNKEYED_EVERY = 5
RESOLVE_SECONDS = 180.0


class Client(threading.Thread):
    """Sends requests at a steady pace; asks again with the same key until it knows."""

    def __init__(
        self, number: int, port: int, path: str, journal: Journal, interval: float, *, keys: bool
    ) -> None:
        super().__init__(name=f"client-{number}", daemon=True)
        self._name = f"c{number}-{secrets.token_hex(3)}"
        self._port = port
        self._path = path
        self._journal = journal
        self._interval = interval
        self._at_once = max(1, round(WAVE_SECONDS / interval)) if number % 2 else 1
        self._keys = keys
        self._counter = itertools.count()
        self._stopping = threading.Event()
        self._stopped_at = 0.0
        self._connection: http.client.HTTPConnection | None = None

    def order_stop(self) -> None:
        self._stopped_at = time.monotonic()
        self._stopping.set()

    def run(self) -> None:
        while not self._stopping.is_set():
            begun = time.monotonic()
            for _ in range(self._at_once):
                self._place(next(self._counter))
            # what an outage kept from being sent is not made up for
            pause = self._interval * self._at_once
            late = begun % pause if self._at_once > 1 else 0.0
            self._stopping.wait(max(begun - late + pause - time.monotonic(), 0))
        self._disconnect()

    def _place(self, number: int) -> None:
        keyed = self._keys and number % UNKEYED_EVERY != 0
        order = self._journal.open(f"{self._name}-{number}" if keyed else None)
        for attempt in itertools.count():
            status = self._send(order, f"{self._name}-{number}-{attempt}")
            if status == ACCEPTED or not keyed or self._out_of_time():
                break
            time.sleep(min(PAUSE_AFTER_REFUSAL_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
        if keyed and secrets.randbelow(1000) < REPEATS * 1000:
            self._send(order, f"{self._name}-{number}-again")

    def _out_of_time(self) -> bool:
        return self._stopping.is_set() and time.monotonic() - self._stopped_at > RESOLVE_SECONDS

    def _send(self, order: Order, request_id: str) -> int:
        sent = time.time()
        status, task_id = self._exchange(order.key, request_id)
        self._journal.note(order, Try(request_id, sent, time.time(), status), task_id)
        return status

    def _exchange(self, key: str | None, request_id: str) -> tuple[int, str | None]:
        headers = {"X-Request-ID": request_id, "Content-Length": "0"}
        if key:
            headers["Idempotency-Key"] = key
        try:
            connection = self._connect()
            connection.request("POST", self._path, headers=headers)
            answer = connection.getresponse()
            body = answer.read()
            task_id = str(json.loads(body)["task_id"]) if answer.status == ACCEPTED else None
        except (OSError, http.client.HTTPException, ValueError, KeyError):
            self._disconnect()
            return 0, None
        if answer.will_close:
            self._disconnect()
        return answer.status, task_id

    def _connect(self) -> http.client.HTTPConnection:
        if self._connection is None:
            self._connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_SECONDS)
        return self._connection

    def _disconnect(self) -> None:
        if self._connection:
            self._connection.close()
        self._connection = None


class Load:
    """Some clients, and the journal that they share."""

    def __init__(self, port: int, path: str, rate: float, clients: int, *, keys: bool) -> None:
        self.journal = Journal()
        self._clients = [
            Client(number, port, path, self.journal, clients / rate, keys=keys) for number in range(clients)
        ]

    def start(self) -> None:
        for client in self._clients:
            client.start()

    def stop(self) -> None:
        """End; whoever waits for an answer gets it first."""
        for client in self._clients:
            client.order_stop()
        for client in self._clients:
            client.join(RESOLVE_SECONDS + 2 * TIMEOUT_SECONDS)
