"""The lock of members on different machines: a Lease of Kubernetes, and what is remembered with it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from threading import Event, Thread
from typing import Any, Protocol

import structlog

from kubernetes_api.client import ApiError
from mysql_agent.lock import Hold

log = structlog.get_logger(__name__)

TERM_SECONDS = 60
# Whoever has not begun in half of the term must not begin at all: its clock and the others' may differ.
SAFE_SECONDS = TERM_SECONDS / 2
RENEWAL_SECONDS = 10.0


@dataclass(frozen=True)
class Lease:
    """A Lease as it was read, with all that others wrote into it."""

    holder: str = ""
    renewed: str = ""
    term_seconds: float = TERM_SECONDS
    known_uuids: frozenset[str] = frozenset()
    document: dict[str, Any] = field(default_factory=dict, compare=False)


class Leases(Protocol):
    def read(self) -> Lease:
        """Return the Lease, or an empty one if there is none yet."""

    def write(self, lease: Lease) -> Lease:
        """Store it unless another has changed it since it was read.

        Raises:
            ApiError: 409 if it was changed.
        """


class LeaseLock:
    """Taken by compare-and-swap, renewed while it is held, given back at the end.

    Whether another's term is over is told by this process' own clock, from the moment it first saw that term.
    """

    def __init__(self, leases: Leases, identity: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._leases = leases
        self._identity = identity
        self._clock = clock
        self._seen: tuple[tuple[str, str], float] | None = None

    @contextmanager
    def attempt(self) -> Iterator[Hold]:
        hold = self._take()
        if hold.obstacle:
            yield hold
            return
        ended = Event()
        renew = copy_context().run  # so that its log lines name the member too
        renewals = Thread(target=renew, args=(self._renew_until, ended, hold), name="lease", daemon=True)
        renewals.start()
        try:
            yield hold
        finally:
            ended.set()
            renewals.join()
            self._give_back()

    def _take(self) -> "_LeaseHold":
        began = self._clock()
        try:
            lease = self._leases.read()
            # It is its own if the answer to an attempt before was lost.
            if lease.holder not in {"", self._identity} and not self._is_over(lease):
                return _LeaseHold(f"{lease.holder} holds the Lease", 0, self._clock)
            self._leases.write(replace(lease, holder=self._identity))
        except ApiError as error:
            return _LeaseHold(f"the Lease could not be taken: {error}", 0, self._clock)
        return _LeaseHold("", began + SAFE_SECONDS, self._clock)

    def _is_over(self, lease: Lease) -> bool:
        term = (lease.holder, lease.renewed)
        if self._seen is None or self._seen[0] != term:
            self._seen = (term, self._clock())
        return self._clock() - self._seen[1] > lease.term_seconds

    def _renew_until(self, ended: Event, hold: "_LeaseHold") -> None:
        while not ended.wait(RENEWAL_SECONDS):
            began = self._clock()
            if self._write_own(self._identity):
                hold.safe_until = began + SAFE_SECONDS

    def _give_back(self) -> None:
        if not self._write_own(""):
            log.warning("the Lease could not be given back, it runs out by itself", seconds=TERM_SECONDS)

    def _write_own(self, holder: str) -> bool:
        try:
            lease = self._leases.read()
            if lease.holder != self._identity:
                return False
            self._leases.write(replace(lease, holder=holder))
        except ApiError as error:
            log.warning("the Lease could not be written", error=str(error))
            return False
        return True


class _LeaseHold:
    def __init__(self, obstacle: str, safe_until: float, clock: Callable[[], float]) -> None:
        self.obstacle = obstacle
        self.safe_until = safe_until
        self._clock = clock

    def is_safe(self) -> bool:
        return self._clock() < self.safe_until
