"""Clients that submit tasks and read, and remember every answer, while something is done to the system."""

import itertools
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import pairwise

import httpx2 as httpx

from bench.ledger import Ledger

WRITERS, READERS = 2, 2
PAUSE_SECONDS = 0.2
REQUEST_SECONDS = 15
# after the end of the load: what was not answered is sent again with its key, and what was accepted runs
SETTLE_SECONDS = 120
REFUSED = 503
TOKEN = "X-Causality-Token"


@dataclass
class Traffic:
    """What the clients saw; `failures` are requests without the answer that they should have had."""

    user_id: int
    accepted: list[str] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)
    # of these, the reads; and the writes that were not refused as is promised, with 503 and Retry-After
    unread: list[str] = field(default_factory=list)
    improper: list[str] = field(default_factory=list)
    acceptances: list[float] = field(default_factory=list)  # when
    refusals: list[float] = field(default_factory=list)  # when, of writes with whatever answer or none
    requests: int = 0
    slowest_seconds: float = 0.0

    def __str__(self) -> str:
        return (
            f"{len(self.accepted)} tasks accepted, {len(self.failures)} of {self.requests} requests failed, "
            f"the slowest took {self.slowest_seconds:.1f} s; {self.told_pauses()}"
        )

    def told_pauses(self) -> str:
        """Tell for how long nothing was accepted, and for how long of that somebody tried in vain."""
        pauses = list(pairwise(sorted(self.acceptances)))
        longest = max((later - earlier for earlier, later in pauses), default=0.0)
        refused = sum(
            later - earlier for earlier, later in pauses if any(earlier < at < later for at in self.refusals)
        )
        return f"none was accepted for {longest:.1f} s, writes were refused for {refused:.1f} s in all"


class Load:
    """Every request has a connection of its own, as from many clients."""

    def __init__(self, url: str, ledger: Ledger) -> None:
        self._ledger = ledger
        self._client = httpx.Client(
            base_url=url, timeout=REQUEST_SECONDS, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self.traffic = Traffic(ledger.new_user())
        # the last task, and the token with which it must be seen
        self._written: tuple[str, str] | None = None
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
                self._accepted(answer)
                return
            if self._ended.is_set() and deadline is None:
                deadline = time.monotonic() + SETTLE_SECONDS
            time.sleep(PAUSE_SECONDS)

    def _accepted(self, answer: httpx.Response) -> None:
        task_id = answer.json()["task_id"]
        with self._lock:
            self.traffic.accepted.append(task_id)
            self.traffic.acceptances.append(time.monotonic())
            self._written = (task_id, answer.headers.get(TOKEN, ""))

    def _read(self) -> None:
        for turn in itertools.count():
            if self._ended.wait(PAUSE_SECONDS):
                return
            path, headers = f"/api/products?user_id={self.traffic.user_id}&limit=5", {}
            if turn % 2 and self._written:
                task_id, token = self._written
                path, headers = f"/api/tasks/{task_id}", {TOKEN: token}
            self._ask(200, lambda path=path, headers=headers: self._client.get(path, headers=headers))  # type: ignore[misc]

    def _ask(self, expected: int, send: Callable[[], httpx.Response]) -> httpx.Response | None:
        started = time.monotonic()
        try:
            answer = send()
            failure = "" if answer.status_code == expected else f"{answer.status_code} {answer.text[:200]}"
            refused = answer.status_code == REFUSED and "Retry-After" in answer.headers
        except httpx.TransportError as error:
            answer, failure, refused = None, repr(error), False
        seconds = time.monotonic() - started
        with self._lock:
            self.traffic.requests += 1
            self.traffic.slowest_seconds = max(self.traffic.slowest_seconds, seconds)
            if failure:
                self._note(f"at {started - self._started:.1f} s: {failure}", expected, refused=refused)
        return None if failure else answer

    def _note(self, failure: str, expected: int, *, refused: bool) -> None:
        self.traffic.failures.append(failure)
        if expected == httpx.codes.OK:
            self.traffic.unread.append(failure)
            return
        self.traffic.refusals.append(time.monotonic())
        if not refused:
            self.traffic.improper.append(failure)
