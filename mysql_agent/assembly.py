"""How the parts of an agent are put together, on one machine and in Kubernetes."""

import time
from dataclasses import dataclass
from functools import cache, partial
from threading import Event
from uuid import uuid4

from kubernetes_api.client import PodApi
from mysql_agent.act import Actor, Credentials
from mysql_agent.address import Member
from mysql_agent.cluster import Answer, Surroundings
from mysql_agent.companion import Companion, Rhythm
from mysql_agent.connect import Server
from mysql_agent.events import Announcer
from mysql_agent.handover import Handover
from mysql_agent.kept_session import KeptSession
from mysql_agent.kubernetes import Kubernetes
from mysql_agent.lease import LeaseLock
from mysql_agent.lock import BootstrapLock, FileLock
from mysql_agent.loop import Listener, Loop, Pace
from mysql_agent.membership import Membership
from mysql_agent.memory import FileMemory
from mysql_agent.metrics import KubernetesMetrics, Metrics
from mysql_agent.observe import Observer, read
from mysql_agent.renewal import OwnCertificate, Renewal
from mysql_agent.settings import AgentSettings
from mysql_agent.upkeep import Upkeep

SETTLE_SECONDS = 3.0


@dataclass(frozen=True)
class Environment:
    """What depends on where the agent runs."""

    lock: BootstrapLock
    listener: Listener
    companion: Companion | None = None
    memory: FileMemory | None = None

    def surroundings(self, handover: Handover, own: Answer | None) -> Surroundings:
        stopping = handover.stopping_seconds(own)
        if self.memory:
            known, path = self.memory.known_uuids, str(self.memory.path)
            return Surroundings(known, stopping_seconds=stopping, memory=path)
        assert self.companion  # noqa: S101 - there is one or the other
        facts = self.companion.facts
        return Surroundings(
            known_uuids=facts.known_uuids,
            unknown_because=facts.unknown_because,
            can_be_forced=True,
            forced=facts.forced,
            stopping_seconds=stopping,
        )


def build_environment(settings: AgentSettings, metrics: Metrics) -> Environment:
    if settings.lock_file:
        memory = FileMemory(settings.lock_file.with_suffix(".members"))
        return Environment(FileLock(settings.lock_file), memory, memory=memory)
    assert settings.lease  # noqa: S101 - the settings refuse to have neither
    assert settings.kubernetes_namespace  # noqa: S101 - as above
    api = PodApi.in_cluster(settings.kubernetes_timeout_seconds, settings.kubernetes_account)
    kubernetes = Kubernetes(api, settings.kubernetes_namespace, settings.lease, settings.name)
    announcer = Announcer(time.monotonic)
    upkeep = Upkeep(
        kubernetes,
        kubernetes,
        settings.name,
        announcer=announcer,
        metrics=KubernetesMetrics(metrics.registry),
        clock=time.monotonic,
    )
    companion = Companion(upkeep, announcer, Rhythm())
    # A name for this run: a new run must not take over what its predecessor may still be doing.
    return Environment(LeaseLock(kubernetes, f"{settings.name}_{uuid4().hex[:8]}"), companion, companion)


def build_loop(settings: AgentSettings, metrics: Metrics, environment: Environment, stop: Event) -> Loop:
    companion = environment.companion
    settle = partial(companion.settle, SETTLE_SECONDS) if companion else None
    handover = Handover(settings.handover_directory, before_release=settle, rest=stop.wait)
    server = cache(partial(build_server, settings))
    kept = cache(lambda member: KeptSession(server(member)))
    membership = Membership(settings.name, settings.members, settings.members_file)
    observer = Observer(
        settings.own,
        membership.peers,
        lambda member: kept(member).use(read),
        3 * settings.query_timeout_seconds,
        partial(environment.surroundings, handover),
    )
    actor = Actor(
        server(settings.own),
        Credentials(settings.recovery_user, settings.recovery_password.get_secret_value()),
        environment.lock,
        peer=lambda name: server(membership.member(name)),
        observe=observer.observe,
        start_timeout_seconds=settings.start_timeout_seconds,
        seeds=membership.seeds,
    )
    pace = Pace(settings.interval_seconds, settings.busy_interval_seconds, settings.retry_seconds)
    return Loop(
        observer.observe,
        actor,
        metrics=metrics,
        pace=pace,
        stop=stop,
        handover=handover,
        listener=environment.listener,
    )


def build_renewal(settings: AgentSettings, metrics: Metrics, stop: Event) -> Renewal:
    own = OwnCertificate(build_server(settings, settings.own))
    return Renewal(own, settings.tls_certificate, metrics, stop)


def build_server(settings: AgentSettings, member: Member) -> Server:
    is_own = member == settings.own
    return Server(
        settings.admin_address if is_own else member.address,
        settings.user,
        settings.password.get_secret_value(),
        settings.query_timeout_seconds,
        # Its own server an agent must reach to renew even a certificate that has expired.
        None if is_own else settings.tls_ca,
    )
