"""Clients of the API that never rest, and remember what they were promised."""

import http.client
import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

ACCEPTED = HTTPStatus.ACCEPTED
TIMEOUT_SECONDS = 8.0
PAUSE_AFTER_REFUSAL_SECONDS = 0.2
LONGEST_PAUSE_SECONDS = 1.0
# Of the requests with a key, so many are sent again although they were answered.
REPEATS = 0.05
# Every other client sends what it has to send in waves, so that work waits when something dies.
WAVE_SECONDS = 2.0
UNKEYED_EVERY = 5
RESOLVE_SECONDS = 180.0


@dataclass(frozen=True)
class Try:
    """One request; a status of 0 is no answer at all. Times are seconds since the epoch."""

    request_id: str
    sent: float
    ended: float
    status: int


@dataclass
class Order:
    """What a client wants done once, and every request it sent to that end."""

    key: str | None
    tries: list[Try] = field(default_factory=list)
    task_id: str | None = None
    other_task_ids: set[str] = field(default_factory=set)  # that a repetition was answered with

    @property
    def accepted_at(self) -> float:
        """Return when the client knew."""
        return next((one.ended for one in self.tries if one.status == ACCEPTED), 0.0)

    @property
    def uncertain(self) -> list[str]:
        """Return the ids of requests without a right answer: each may have been accepted all the same."""
        return [one.request_id for one in self.tries if one.status != ACCEPTED]


class Journal:
    """Every order of every client."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._lock = threading.Lock()
        self._accepted = 0

    def open(self, key: str | None) -> Order:
        order = Order(key)
        with self._lock:
            self.orders.append(order)
        return order

    def note(self, order: Order, one: Try, task_id: str | None) -> None:
        with self._lock:
            order.tries.append(one)
            if task_id and order.task_id is None:
                order.task_id = task_id
                self._accepted += 1
            elif task_id and task_id != order.task_id:
                order.other_task_ids.add(task_id)

    @property
    def accepted(self) -> int:
        return self._accepted

    def accepted_until(self, moment: float) -> set[str]:
        with self._lock:
            return {order.task_id for order in self.orders if order.task_id and order.accepted_at <= moment}

    def tries(self) -> list[Try]:
        with self._lock:
            return sorted((one for order in self.orders for one in order.tries), key=lambda one: one.ended)


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


def longest_pause(tries: Iterable[Try], begin: float, end: float) -> float:
    """Return the longest time within which somebody was refused and nobody was accepted, in seconds."""
    longest, last, refused = 0.0, begin, False
    for one in tries:
        if not begin <= one.ended <= end:
            continue
        if one.status == ACCEPTED:
            longest = max(longest, one.ended - last) if refused else longest
            last, refused = one.ended, False
        else:
            refused = True
    return max(longest, end - last) if refused else longest
