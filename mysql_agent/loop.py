"""The level-triggered loop: look, decide, act, report; nothing is remembered but the last role."""

import time
from collections.abc import Callable
from threading import Event
from typing import Protocol

import pymysql
import structlog

from mysql_agent.cluster import ClusterView, Role
from mysql_agent.connect import error_text
from mysql_agent.decide import Action, Decision, Reason, decide
from mysql_agent.metrics import Metrics
from mysql_agent.report import Report

log = structlog.get_logger()


class Pace:
    """How long the loop rests: short while something is on its way, longer when all is said."""

    def __init__(self, normal_seconds: float, busy_seconds: float, retry_seconds: float) -> None:
        self._normal = normal_seconds
        self._busy = busy_seconds
        self._retry = retry_seconds

    def after(self, decision: Decision, *, had_no_effect: bool) -> float:
        if had_no_effect:
            return self._retry
        final = decision.reason is Reason.COMPLETE or decision.action is Action.ALERT
        return self._normal if final else self._busy


class Acts(Protocol):
    def carry_out(self, decision: Decision) -> Decision | None: ...

    def clear_bootstrap_flag(self) -> None: ...

    def disconnect_clients(self) -> int: ...


class Loop:
    def __init__(
        self, observe: Callable[[], ClusterView], actor: Acts, metrics: Metrics, pace: Pace, stop: Event
    ) -> None:
        self._observe = observe
        self._actor = actor
        self._metrics = metrics
        self._pace = pace
        self._stop = stop
        self._was_primary = False
        self._decision: Decision | None = None
        self._obstacle: Decision | None = None
        self._said: Decision | None = None
        self.report: Report | None = None

    def run(self) -> None:
        while not self._stop.is_set():
            with self._metrics.loop.time():
                rest = self.step()
            self._stop.wait(rest)

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
        if decision.action is Action.BOOTSTRAP and obstacle is None:
            self._metrics.bootstraps.inc()
            log.info("group bootstrapped")
        return obstacle

    def _follow_role(self, cluster: ClusterView) -> None:
        own = cluster.own.answer
        if own is None:
            return
        is_primary = own.role is Role.PRIMARY
        if self._was_primary and not is_primary:
            disconnected = self._actor.disconnect_clients()
            self._metrics.demotions.inc()
            log.warning("demoted", clients_disconnected=disconnected)
        self._was_primary = is_primary

    def _publish(self, cluster: ClusterView, decision: Decision, seen_at: float) -> None:
        self.report = Report(cluster, decision, seen_at)
        self._metrics.record(self.report)
        if decision != self._said:
            level = log.error if decision.action is Action.ALERT else log.info
            level(decision.message, decision=decision.action, reason=decision.reason)
            self._said = decision
