"""The level-triggered loop: look, decide, act, report; nothing is remembered but the last role."""

import time
from collections.abc import Callable
from threading import Event
from typing import Protocol

import pymysql
import structlog

from mysql_agent.cluster import ClusterView, Role
from mysql_agent.connect import error_text
from mysql_agent.decide import decide
from mysql_agent.decision import Action, Decision, Reason
from mysql_agent.metrics import Metrics
from mysql_agent.report import Report

log = structlog.get_logger(__name__)

GLANCE_SECONDS = 0.2
# What they bring about is looked at at once: until then nobody is led to this member.
ACTS = frozenset((Action.BOOTSTRAP, Action.JOIN, Action.HAND_OVER))


class Pace:
    """How long the loop rests: short while something is on its way, longer when all is said."""

    def __init__(self, normal_seconds: float, busy_seconds: float, retry_seconds: float) -> None:
        self._normal = normal_seconds
        self._busy = busy_seconds
        self._retry = retry_seconds

    def after(self, decision: Decision, *, had_no_effect: bool) -> float:
        if had_no_effect:
            return self._retry
        if decision.action in ACTS:
            return 0.0
        final = decision.reason is Reason.COMPLETE or decision.action is Action.ALERT
        return self._normal if final else self._busy


class Listener(Protocol):
    def saw(self, report: Report) -> None:
        """Take note of what was seen and decided, without blocking."""

    def did(self, deed: str, message: str) -> None:
        """Take note of something that was brought about."""


class Requests(Protocol):
    def is_asked_for(self) -> bool:
        """Tell whether somebody waits for the server to be released."""

    def release(self) -> None:
        """Say that the server may be stopped."""


class Acts(Protocol):
    def carry_out(self, decision: Decision) -> Decision | None: ...

    def clear_bootstrap_flag(self) -> None: ...

    def disconnect_clients(self) -> int: ...


class Loop:
    def __init__(
        self,
        observe: Callable[[], ClusterView],
        actor: Acts,
        *,
        metrics: Metrics,
        pace: Pace,
        stop: Event,
        handover: Requests,
        listener: Listener,
    ) -> None:
        self._handover = handover
        self._listener = listener
        self._observe = observe
        self._actor = actor
        self._metrics = metrics
        self._pace = pace
        self._stop = stop
        self._was_primary: bool | None = None  # not known before the first look
        self._decision: Decision | None = None
        self._obstacle: Decision | None = None
        self._said: Decision | None = None
        self.report: Report | None = None

    def run(self) -> None:
        while not self._stop.is_set():
            with self._metrics.loop.time():
                rest = self.step()
            self._rest(rest)

    def _rest(self, seconds: float) -> None:
        """Wait, but not longer than it takes somebody to ask for the server to be released."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0 and not self._stop.wait(min(left, GLANCE_SECONDS)):
            if self._handover.is_asked_for():
                return

    def step(self) -> float:
        """One look and what follows from it; the answer is how long to rest."""
        now = time.monotonic()
        cluster = self._observe()
        decision = decide(cluster)
        # While the same attempt is repeated, what it waits for stays visible and is not logged again.
        known_obstacle = self._obstacle if decision == self._decision else None
        self._publish(cluster, known_obstacle or decision, now)
        self._decision = decision
        self._metrics.count_decision(decision.action)
        self._obstacle = self._attempt(cluster, decision)
        self._publish(cluster, self._obstacle or decision, now)
        return self._pace.after(decision, had_no_effect=self._obstacle is not None)

    def _attempt(self, cluster: ClusterView, decision: Decision) -> Decision | None:
        try:
            self._follow_role(cluster)
            return self._carry_out(cluster, decision)
        except (pymysql.MySQLError, OSError) as error:
            return Decision(
                Action.WAIT,
                Reason.SERVER_UNREACHABLE,
                f"the server went away during {decision.action}: {error_text(error)}",
            )

    def _carry_out(self, cluster: ClusterView, decision: Decision) -> Decision | None:
        own = cluster.own.answer
        if own and own.bootstrap_flag:
            log.warning("bootstrap flag found set, clearing it")
            self._actor.clear_bootstrap_flag()
        obstacle = self._actor.carry_out(decision)
        if decision.action is Action.RELEASE and self._handover.is_asked_for():
            self._handover.release()
            log.info("released: the server may be stopped")
        self._count(decision, obstacle)
        return obstacle

    def _count(self, decision: Decision, obstacle: Decision | None) -> None:
        if decision.action is Action.BOOTSTRAP and obstacle is None:
            self._metrics.bootstraps.inc()
            log.info("group bootstrapped")
            self._listener.did("bootstrapped", f"founded the group: {decision.message}")
        if decision.action is Action.HAND_OVER:
            self._metrics.switchovers.labels("failed" if obstacle else "done").inc()
            if obstacle is None:
                self._listener.did("switched_over", f"handed over; {decision.message}")

    def _follow_role(self, cluster: ClusterView) -> None:
        own = cluster.own.answer
        if own is None:
            return
        is_primary = own.role is Role.PRIMARY
        if self._was_primary and not is_primary:
            disconnected = self._actor.disconnect_clients()
            self._metrics.demotions.inc()
            log.warning("demoted", clients_disconnected=disconnected)
            self._listener.did("demoted", f"no primary any more; {disconnected} clients disconnected")
        if self._was_primary is False and is_primary:
            self._metrics.promotions.inc()
            log.info("promoted")
        self._was_primary = is_primary

    def _publish(self, cluster: ClusterView, decision: Decision, seen_at: float) -> None:
        self.report = Report(cluster, decision, seen_at)
        self._metrics.record(self.report)
        self._listener.saw(self.report)
        if decision != self._said:
            level = log.error if decision.action is Action.ALERT else log.info
            level(decision.message, decision=decision.action, reason=decision.reason)
            self._said = decision
