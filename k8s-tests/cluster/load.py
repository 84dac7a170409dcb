"""Clients that submit tasks and read, and remember every answer, while something is done to the system."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx2 as httpx

from bench.ledger import Ledger

WRITERS, READERS = 2, 2
PAUSE_SECONDS = 0.2
REQUEST_SECONDS = 15
# after the end of the load: what was not answered is sent again with its key, and what was accepted runs
SETTLE_SECONDS = 120


@dataclass
class Traffic:
    """What the clients saw; `failures` are requests without the answer that they should have had."""

    user_id: int
    accepted: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    requests: int = 0
    slowest_seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{len(self.accepted)} tasks accepted, {len(self.failures)} of {self.requests} requests failed, "
            f"the slowest took {self.slowest_seconds:.1f} s"
        )


class Load:
    """Every request has a connection of its own, as from many clients."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        self._ledger = ledger
        self._client = httpx.Client(
            base_url=url, timeout=REQUEST_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self.traffic = Traffic(ledger.new_user())
        self._started = time.monotonic()
        self._ended = threading.Event()
        self._lock = threading.Lock()
        self._threads = [
            threading.Thread(target=work, daemon=True)
            for work in [self._write] * WRITERS + [self._read] * READERS
        ]

    @contextmanager
    def running(self) -> Iterator[Traffic]:
        """Keep the load up; afterwards every accepted task has taken effect exactly once."""
        for thread in self._threads:
            thread.start()
        try:
            yield self.traffic
        finally:
            self._ended.set()
            for thread in self._threads:
                thread.join(SETTLE_SECONDS + REQUEST_SECONDS)
            self._client.close()
        self.verify()

    def verify(self) -> None:
        assert self.traffic.accepted, f"nothing was accepted: {self.traffic.failures[:5]}"
        self._ledger.wait_until_finished(SETTLE_SECONDS)
        self._ledger.verified(self.traffic.user_id, self.traffic.accepted)

    def wait_for(self, accepted: int, timeout_seconds: float = 60) -> None:
        """Wait until so many more tasks have been accepted."""
        deadline, goal = time.monotonic() + timeout_seconds, len(self.traffic.accepted) + accepted
        while len(self.traffic.accepted) < goal:
            assert time.monotonic() < deadline, f"no {accepted} tasks accepted in {timeout_seconds:.0f} s"
            time.sleep(PAUSE_SECONDS)

    def _write(self) -> None:
        while not self._ended.wait(PAUSE_SECONDS):
            self._submit(str(uuid.uuid4()))

    def _submit(self, key: str) -> None:
        """Send one task until it is accepted, as a careful client does: with the same key."""
        path, deadline = f"/api/users/{self.traffic.user_id}/create-product", None
        while deadline is None or time.monotonic() < deadline:
            answer = self._ask(202, lambda: self._client.post(path, headers={"Idempotency-Key": key}))
            if answer:
                with self._lock:
                    self.traffic.accepted.append(answer.json()["task_id"])
                return
            if self._ended.is_set() and deadline is None:
                deadline = time.monotonic() + SETTLE_SECONDS
            time.sleep(PAUSE_SECONDS)

    def _read(self) -> None:
        for turn in itertools.count():
            if self._ended.wait(PAUSE_SECONDS):
                return
            path = f"/api/products?user_id={self.traffic.user_id}&limit=5"
            if turn % 2 and self.traffic.accepted:
                path = f"/api/tasks/{self.traffic.accepted[-1]}"
            self._ask(200, lambda path=path: self._client.get(path))  # type: ignore[misc]

    def _ask(self, expected: int, send: Callable[[], httpx.Response]) -> httpx.Response | None:
        started = time.monotonic()
        try:
            answer = send()
            failure = "" if answer.status_code == expected else f"{answer.status_code} {answer.text[:200]}"
        except httpx.TransportError as error:
            answer, failure = None, repr(error)
        seconds = time.monotonic() - started
        with self._lock:
            self.traffic.requests += 1
            self.traffic.slowest_seconds = max(self.traffic.slowest_seconds, seconds)
            if failure:
                self.traffic.failures.append(f"at {started - self._started:.1f} s: {failure}")
        return None if failure else answer
