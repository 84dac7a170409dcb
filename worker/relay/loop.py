"""The relay's endless loop, which outlives every outage of its neighbours."""

import threading
import time
from collections.abc import Callable

import structlog
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError

from app.tasks.broker import PublishError
from worker.failures import describe
from worker.relay.metrics import RelayMetrics
from worker.relay.relay import Relay

log = structlog.get_logger(__name__)

LONGEST_PAUSE_SECONDS = 10.0
LONGEST_PAUSE_INTERVALS = 10
PASSES_PER_RECONCILIATION = 5
# Longer than any pass can take: a database and a Redis that answer nothing use up their time-outs.
STALLED_AFTER_SECONDS = 60.0


class RelayLoop:
    """Passes at an interval; failures are logged when they begin and when they end."""

    def __init__(
        self,
        relay: Relay,
        metrics: RelayMetrics,
        interval_seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._relay = relay
        self._metrics = metrics
        self._interval_seconds = interval_seconds
        self._clock = clock
        self._stopping = threading.Event()
        self._turn = 0
        self._failures = 0
        self._problem: str | None = "no pass has ended yet"
        self._passed_at = clock()

    def run(self) -> None:
        """Loop until `stop` is called."""
        while True:
            self.turn()
            if self._stopping.wait(pause_seconds(self._interval_seconds, self._failures)):
                return

    def stop(self) -> None:
        """End after the current pass; may be called from a signal handler."""
        self._stopping.set()

    def turn(self) -> None:
        """Make one pass; what it could not do, the next one does."""
        steps: list[Callable[[], object]] = [self._relay.publish_new]
        # An outage must be seen, also when it began between two reconciliations.
        if self._failures or self._turn % PASSES_PER_RECONCILIATION == 0:
            steps += [self._relay.reconcile, self._relay.observe_redis, self._relay.observe_ledger]
        problems = [problem for problem in map(self._try, steps) if problem]
        if problems:
            self._metrics.failures.inc()
            self._failures += 1
        else:
            self._turn += 1
            self._failures = 0
        self._note(problems[0] if problems else None)
        self._passed_at = self._clock()

    def _try(self, step: Callable[[], object]) -> str | None:
        try:
            step()
        except (SQLAlchemyError, RedisError, PublishError) as error:
            return describe(error)
        return None

    def check_alive(self) -> str | None:
        """Tell whether the loop turns, whatever it meets."""
        stalled = self._clock() - self._passed_at
        return f"no pass has ended for {stalled:.0f} s" if stalled > STALLED_AFTER_SECONDS else None

    def check_ready(self) -> str | None:
        """Tell whether the last pass reached both Redis and the primary."""
        return self.check_alive() or self._problem

    def _note(self, problem: str | None) -> None:
        if problem and not (self._problem and self._failures > 1):
            log.warning("relay held up, going on trying", error=problem)
        elif self._problem and not problem:
            log.info("relay at work")
        self._problem = problem


def pause_seconds(interval_seconds: float, failures: int) -> float:
    """Return the pause after a pass: longer with every failure in a row, within a bound."""
    longest = min(LONGEST_PAUSE_INTERVALS * interval_seconds, LONGEST_PAUSE_SECONDS)
    return max(interval_seconds, min(interval_seconds * 2.0 ** min(failures, 10), longest))
