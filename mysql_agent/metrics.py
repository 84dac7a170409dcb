"""What Prometheus learns from one agent."""

from prometheus_client import CONTENT_TYPE_LATEST as CONTENT_TYPE
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from mysql_agent.cluster import Role, State
from mysql_agent.decision import Action, Reason
from mysql_agent.report import Report

__all__ = ["CONTENT_TYPE", "Metrics"]


class Metrics:
    """All series exist from the start, so that an alert never compares with nothing."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._state = Gauge(
            "mysql_agent_member_state",
            "1 for the member's Group Replication state",
            ["state"],
            registry=self.registry,
        )
        self._role = Gauge(
            "mysql_agent_role", "1 for the member's role in its group", ["role"], registry=self.registry
        )
        self._in_majority = Gauge(
            "mysql_agent_in_majority",
            "1 while the member sees a majority of its group",
            registry=self.registry,
        )
        self._members = Gauge(
            "mysql_agent_members", "Members that the group should have", registry=self.registry
        )
        self._online = Gauge(
            "mysql_agent_members_online", "ONLINE members in this member's view", registry=self.registry
        )
        self._queue = Gauge(
            "mysql_agent_applier_queue", "Received transactions waiting to be applied", registry=self.registry
        )
        self._lag = Gauge(
            "mysql_agent_applier_lag_seconds",
            "For how long the oldest transaction that is being applied has been committed; 0 if none is",
            registry=self.registry,
        )
        self._waiting = Gauge(
            "mysql_agent_waiting", "1 for what the agent waits for", ["reason"], registry=self.registry
        )
        self._decisions = Counter(
            "mysql_agent_decisions", "Decisions, one per loop", ["decision"], registry=self.registry
        )
        self.bootstraps = Counter(
            "mysql_agent_bootstrap", "Groups founded by this agent", registry=self.registry
        )
        self.promotions = Counter(
            "mysql_agent_promotions",
            "Times the member became the primary before the eyes of this agent",
            registry=self.registry,
        )
        self.demotions = Counter(
            "mysql_agent_demotions", "Times the member stopped being primary", registry=self.registry
        )
        self.switchovers = Counter(
            "mysql_agent_switchovers",
            "Times this member was to hand its role over",
            ["outcome"],
            registry=self.registry,
        )
        self.loop = Histogram(
            "mysql_agent_loop_duration_seconds", "Observe, decide, act", registry=self.registry
        )
        self.certificate_expiry = Gauge(
            "mysql_agent_certificate_expiry_timestamp_seconds",
            "When the certificate ends that the member shows; 0 while it is not known",
            registry=self.registry,
        )
        self.certificate_reloads = Counter(
            "mysql_agent_certificate_reloads",
            "Times the server was told to read its certificate again",
            ["outcome"],
            registry=self.registry,
        )
        for action in Action:
            self._decisions.labels(action)
        for outcome in ("done", "failed"):
            self.switchovers.labels(outcome)
            self.certificate_reloads.labels(outcome)

    def record(self, report: Report) -> None:
        own = report.cluster.own.answer
        state = own.state if own else State.UNREACHABLE
        role = own.role if own else Role.NONE
        for each_state in State:
            self._state.labels(each_state).set(each_state is state)
        for each_role in (Role.PRIMARY, Role.SECONDARY):
            self._role.labels(each_role).set(each_role is role)
        waiting = report.decision.action in {Action.WAIT, Action.RELEASE, Action.ALERT}
        for reason in Reason:
            self._waiting.labels(reason).set(waiting and reason is report.decision.reason)
        self._in_majority.set(bool(own and own.in_majority))
        self._members.set(len(report.cluster.members))
        self._online.set(own.members_online if own else 0)
        self._queue.set(own.applier_queue if own else 0)
        self._lag.set(own.lag_seconds if own else 0)

    def count_decision(self, action: Action) -> None:
        self._decisions.labels(action).inc()

    def text(self) -> str:
        return generate_latest(self.registry).decode()


class KubernetesMetrics:
    """How the agent gets on with the API; nothing of this exists outside Kubernetes."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.up = Gauge(
            "mysql_agent_kubernetes_up", "1 while the Kubernetes API does what is asked", registry=registry
        )
        self.errors = Counter(
            "mysql_agent_kubernetes_errors", "Requests refused or not answered", registry=registry
        )
        self.conflicts = Counter(
            "mysql_agent_kubernetes_conflicts", "Writes that others were quicker with", registry=registry
        )
        self.labels_written = Counter(
            "mysql_agent_labels_written", "Role labels changed on pods", registry=registry
        )
