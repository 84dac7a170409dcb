"""What is kept up in Kubernetes: labels, the memory of the members' disks, Events."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from http import HTTPStatus
from typing import Protocol

import structlog

from kubernetes_api.client import ApiError
from mysql_agent import labels
from mysql_agent.decision import Action
from mysql_agent.events import NORMAL, Announcement, Announcer
from mysql_agent.kubernetes import Pod
from mysql_agent.lease import Leases
from mysql_agent.metrics import KubernetesMetrics
from mysql_agent.report import Report

log = structlog.get_logger(__name__)

# What an older report says is no ground for a label.
STALE_SECONDS = 5.0
DENIED = {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}


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


class Upkeep:
    def __init__(
        self,
        pods: Pods,
        leases: Leases,
        own_pod: str,
        *,
        announcer: Announcer,
        metrics: KubernetesMetrics,
        clock: Callable[[], float],
    ) -> None:
        self._pods = pods
        self._leases = leases
        self._own_pod = own_pod
        self._announcer = announcer
        self._metrics = metrics
        self._clock = clock
        self._said = ""
        self.facts = Facts(None, unknown_because="it has not been asked yet")

    def look_after(self, report: Report) -> None:
        """Do everything once; a step that is refused does not keep the others from being tried."""
        up = True
        for step in (self._label, self._look, self._remember, self._announce):
            try:
                step(report)
            except ApiError as error:
                self._take_note(error)
                answered = error.status is not None and error.status < HTTPStatus.INTERNAL_SERVER_ERROR
                up = up and answered and error.status not in DENIED
                if step in {self._label, self._look}:
                    self.facts = Facts(None, unknown_because=str(error))
                if not answered:
                    break
        self._metrics.up.set(up)

    def misunderstood(self, error: Exception) -> None:
        """Take note of an answer that makes no sense: until the next one nothing is known."""
        self.facts = Facts(None, unknown_because=f"{type(error).__name__}: {error}")
        self._metrics.errors.inc()

    def _label(self, report: Report) -> None:
        if self._clock() - report.seen_at > STALE_SECONDS:
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
        pod = self._pods.pod(self._own_pod) if self._announcer.first() else None
        while pod and (announcement := self._announcer.first()):
            try:
                self._pods.announce(announcement, pod)
            except ApiError as error:
                if error.status is None:
                    raise
                self._take_note(error)  # one that is refused would be refused again
            self._announcer.done_with(announcement)

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
