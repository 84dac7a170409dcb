"""What the agent does with Kubernetes, in a thread of its own: the loop never waits for the API."""

import time
from collections.abc import Callable
from contextvars import copy_context
from dataclasses import dataclass, replace
from http import HTTPStatus
from threading import Condition, Thread
from typing import Protocol

import structlog

from kubernetes_api.client import ApiError
from mysql_agent import labels
from mysql_agent.cluster import Role
from mysql_agent.decision import Action
from mysql_agent.events import NORMAL, Announcement, Announcer
from mysql_agent.kubernetes import Pod
from mysql_agent.lease import Leases
from mysql_agent.metrics import KubernetesMetrics
from mysql_agent.report import Report

log = structlog.get_logger()


class Pods(Protocol):
    def pod(self, name: str) -> Pod | None: ...

    def set_role(self, pod: Pod, role: str | None) -> None: ...

    def remove_override(self, pod: Pod) -> None: ...

    def announce(self, announcement: Announcement, pod: Pod) -> None: ...


@dataclass(frozen=True)
class Facts:
    """What the API last said, or why it said nothing."""

    known_uuids: frozenset[str] | None
    forced: bool = False
    unknown_because: str = ""


@dataclass(frozen=True)
class Rhythm:
    """Seconds between two looks; what changed is acted on at once."""

    settled_seconds: float = 10.0
    unsettled_seconds: float = 2.0  # and of the primary, so that a wrong label does not last
    stale_seconds: float = 5.0  # what an older report says is no ground for a label


class Companion:
    def __init__(
        self,
        pods: Pods,
        leases: Leases,
        own_pod: str,
        *,
        metrics: KubernetesMetrics,
        rhythm: Rhythm,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._pods = pods
        self._leases = leases
        self._own_pod = own_pod
        self._metrics = metrics
        self._rhythm = rhythm
        self._clock = clock
        self._announcer = Announcer(clock)
        self._report: Report | None = None
        self._asked = self._done = 0
        self._closing = False
        self._changed = Condition()
        # In the context of who made it, so that its log lines name the member too.
        self._thread = Thread(target=copy_context().run, args=(self._run,), name="kubernetes", daemon=True)
        self._said = ""
        self.facts = Facts(None, unknown_because="it has not been asked yet")

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
            self.look_after(report)
        except Exception as error:
            # Without this thread labels would never change again, and nobody would know.
            log.exception("an answer of the Kubernetes API was not understood")
            self.facts = Facts(None, unknown_because=f"{type(error).__name__}: {error}")
            self._metrics.errors.inc()

    def _pause(self, report: Report | None) -> float:
        own = report.cluster.own.answer if report else None
        is_primary = own is not None and own.role is Role.PRIMARY
        settled = report is not None and report.decision.action is Action.NOTHING and not is_primary
        return self._rhythm.settled_seconds if settled else self._rhythm.unsettled_seconds

    def look_after(self, report: Report) -> None:
        """Do everything once; a step that is refused does not keep the others from being tried."""
        answered = True
        for step in (self._label, self._look, self._remember, self._announce):
            try:
                step(report)
            except ApiError as error:
                self._take_note(error)
                answered = error.status is not None and error.status < HTTPStatus.INTERNAL_SERVER_ERROR
                if step in {self._label, self._look}:
                    self.facts = Facts(None, unknown_because=str(error))
                if not answered:
                    break
        self._metrics.up.set(answered)

    def _label(self, report: Report) -> None:
        if self._clock() - report.seen_at > self._rhythm.stale_seconds:
            return
        for rule in labels.plan(report):
            pod = self._pods.pod(rule.pod)
            if pod is None or (rule.only_instead_of and pod.role != rule.only_instead_of):
                continue
            role = None if pod.is_terminating else rule.role
            if pod.role != role:
                self._write(lambda pod=pod, role=role: self._pods.set_role(pod, role))  # type: ignore[misc]
                log.info("label written", pod=pod.name, role=role or "none")
                self._metrics.labels_written.inc()

    def _look(self, report: Report) -> None:
        pod = self._pods.pod(self._own_pod)
        forced = bool(pod and pod.is_forced)
        if pod and forced and report.decision.action is Action.NOTHING:
            self._write(lambda: self._pods.remove_override(pod))
            self._announcer.tell(
                NORMAL, "override_removed", "the group is there: the order to found it is done"
            )
        self.facts = Facts(self._leases.read().known_uuids, forced)

    def _remember(self, report: Report) -> None:
        if report.decision.action is not Action.NOTHING or self.facts.known_uuids is None:
            return
        if labels.to_remember(report.cluster, self.facts.known_uuids) == self.facts.known_uuids:
            return
        lease = self._leases.read()
        uuids = labels.to_remember(report.cluster, lease.known_uuids)
        self._write(lambda: self._leases.write(replace(lease, known_uuids=uuids)))

    def _announce(self, _report: Report) -> None:
        pod = self._pods.pod(self._own_pod) if self._announcer.pending else None
        while pod and self._announcer.pending:
            try:
                self._pods.announce(self._announcer.pending[0], pod)
            except ApiError as error:
                if error.status is None:
                    raise
                self._take_note(error)  # one that is refused would be refused again
            with self._changed:
                self._announcer.pending.popleft()

    def _write(self, request: Callable[[], object]) -> None:
        """Write on the ground of what was read; if somebody was quicker, the next look decides anew."""
        try:
            request()
        except ApiError as error:
            if error.status != HTTPStatus.CONFLICT:
                raise
            self._metrics.conflicts.inc()

    def _take_note(self, error: ApiError) -> None:
        self._metrics.errors.inc()
        if str(error) != self._said:
            log.warning("Kubernetes API", error=str(error))
            self._said = str(error)


def _plan(report: Report) -> tuple[object, ...]:
    return (*labels.plan(report), report.decision.reason)
