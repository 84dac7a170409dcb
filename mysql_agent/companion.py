"""The thread that alone talks to Kubernetes: the loop never waits for the API."""

from contextvars import copy_context
from dataclasses import dataclass
from threading import Condition, Thread

import structlog

from mysql_agent import labels
from mysql_agent.cluster import Role
from mysql_agent.decision import Action
from mysql_agent.events import NORMAL, Announcer
from mysql_agent.report import Report
from mysql_agent.upkeep import Facts, Upkeep

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rhythm:
    """Seconds between two looks; what changed is acted on at once."""

    settled_seconds: float = 10.0
    unsettled_seconds: float = 2.0  # and of the primary, so that a wrong label does not last


class Companion:
    def __init__(self, upkeep: Upkeep, announcer: Announcer, rhythm: Rhythm) -> None:
        self._upkeep = upkeep
        self._announcer = announcer
        self._rhythm = rhythm
        self._report: Report | None = None
        self._asked = self._done = 0
        self._closing = False
        self._changed = Condition()
        # In the context of who made it, so that its log lines name the member too.
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="kubernetes", daemon=True)

    @property
    def facts(self) -> Facts:
        """What the API last said, or why it said nothing."""
        return self._upkeep.facts

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        with self._changed:
            self._closing = True
            self._changed.notify_all()

    def saw(self, report: Report) -> None:
        """Take note of what the loop saw and decided."""
        with self._changed:
            before, self._report = self._report, report
            has_news = self._announcer.consider(report.decision)
            if before is None or _plan(before) != _plan(report) or has_news:
                self._wake()

    def did(self, deed: str, message: str) -> None:
        """Announce something that the agent brought about."""
        with self._changed:
            self._announcer.tell(NORMAL, deed, message)
            self._wake()

    def settle(self, timeout_seconds: float) -> None:
        """Wait until the API has heard of all that was reported so far, or until the time is over."""
        with self._changed:
            asked = self._asked
            self._changed.wait_for(lambda: self._done >= asked or self._closing, timeout_seconds)

    def _wake(self) -> None:
        self._asked += 1
        self._changed.notify_all()

    def _run(self) -> None:
        while not self._closing:
            with self._changed:
                asked, report = self._asked, self._report
            if report:
                self._look_after_safely(report)
            with self._changed:
                self._done = asked
                self._changed.notify_all()
                self._changed.wait_for(self._is_awaited, self._pause(report))

    def _is_awaited(self) -> bool:
        return self._closing or self._asked > self._done

    def _look_after_safely(self, report: Report) -> None:
        try:
            self._upkeep.look_after(report)
        except Exception as error:
            # Without this thread labels would never change again, and nobody would know.
            log.exception("an answer of the Kubernetes API was not understood")
            self._upkeep.misunderstood(error)

    def _pause(self, report: Report | None) -> float:
        own = report.cluster.own.answer if report else None
        is_primary = own is not None and own.role is Role.PRIMARY
        settled = report is not None and report.decision.action is Action.NOTHING and not is_primary
        return self._rhythm.settled_seconds if settled else self._rhythm.unsettled_seconds


def _plan(report: Report) -> tuple[object, ...]:
    return (*labels.plan(report), report.decision.reason)
