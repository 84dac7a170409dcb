"""The path of a task as stations, each with its state in a word: API, queue, workers, database."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.cluster.repository import MISSING
from app.cluster.schemas import ClusterStatus, MemberStatus, MySQLStatus, QueueStatus, WorkerStatus
from app.cluster.service import mysql_problems
from app.dashboard.replicas import SeenReplica
from app.dashboard.wording import duration, title


@dataclass(frozen=True)
class Line:
    """One part within a station."""

    name: str
    note: str
    tone: str = "ok"


@dataclass(frozen=True)
class Station:
    """One stop on the path of a task."""

    title: str
    icon: str
    tone: str
    headline: str
    lines: Sequence[Line] = field(default_factory=tuple)

    @property
    def word(self) -> str:
        """The tone, said in a word."""
        return {"ok": "Working", "warn": "Degraded", "bad": "Down"}[self.tone]

    @property
    def mark(self) -> str:
        """The tone, shown as an icon."""
        return {"ok": "check", "warn": "warn", "bad": "cross"}[self.tone]


def stations(status: ClusterStatus, replicas: Sequence[SeenReplica], expected_members: int) -> list[Station]:
    """Return the stations in the order in which a task passes them."""
    return [
        api_station(replicas),
        queue_station(status),
        workers_station(status.workers),
        mysql_station(status.mysql, expected_members),
    ]


def api_station(replicas: Sequence[SeenReplica]) -> Station:
    """Show who answers; a replica that does not is simply not seen."""
    lines = [Line(one.name, "served this page" if one.answered_now else "answering") for one in replicas]
    return Station("API", "api", "ok", f"{len(replicas)} answering", lines)


def queue_station(status: ClusterStatus) -> Station:
    """Show what waits in Redis."""
    redis = status.redis
    if not redis.up:
        cure = Line("Redis", "tasks wait in the ledger", "bad")
        return Station("Queue", "queue", "bad", "unreachable", [cure])
    waiting = sum(queue.depth for queue in status.queues)
    lines = [Line(queue.name, _waiting(queue)) for queue in status.queues]
    if redis.round_trip_ms is not None:
        lines.append(Line("Redis", f"answers in {redis.round_trip_ms:.1f} ms"))
    return Station("Queue", "queue", "ok", f"{waiting} waiting", lines)


def workers_station(workers: Sequence[WorkerStatus]) -> Station:
    """Show who is alive and what each is running."""
    alive = sum(worker.alive for worker in workers)
    tone = "bad" if not alive else "ok" if alive == len(workers) else "warn"
    lines = [
        Line(worker.name, worker_activity(worker), "ok" if worker.alive else "bad") for worker in workers
    ]
    return Station("Workers", "worker", tone, f"{alive} of {len(workers)} alive", lines)


def worker_activity(worker: WorkerStatus) -> str:
    """Say what a worker is doing."""
    if not worker.alive:
        return f"silent for {duration(worker.heartbeat_age_seconds)}"
    if not worker.running:
        return "idle"
    first = worker.running[0]
    more = f" and {len(worker.running) - 1} more" if len(worker.running) > 1 else ""
    return f"{title(first.name)}, {duration(first.seconds)}{more}"


def mysql_station(mysql: MySQLStatus, expected_members: int) -> Station:
    """Show the group of members and how far each replica is behind."""
    if not mysql.up:
        return Station("MySQL", "database", "bad", "unreachable", [Line("MySQL", "no answer", "bad")])
    online = [member for member in mysql.members if member.state == "ONLINE"]
    primaries = sum(member.role == "PRIMARY" for member in online)
    lines = [
        Line(member_name(member.address), _member_note(member), member_tone(member))
        for member in mysql.members
    ]
    if not mysql.members:
        return Station("MySQL", "database", "ok", "one server", lines)
    problems = mysql_problems(mysql, expected_members)
    tone = "bad" if not primaries else "warn" if problems else "ok"
    headline = f"{len(online)} of {max(expected_members, len(mysql.members))} online"
    return Station("MySQL", "database", tone, headline if primaries else "no primary", lines)


def _waiting(queue: QueueStatus) -> str:
    if not queue.depth:
        return "empty"
    age = queue.oldest_age_seconds
    return str(queue.depth) if age is None else f"{queue.depth}, oldest {duration(age)}"


def member_name(address: str) -> str:
    """Return the host without its domain, which in Kubernetes is long and the same for all."""
    host, _, domain = address.rpartition(":")[0].partition(".")
    return host if domain and not host.isdigit() else address


def _member_note(member: MemberStatus) -> str:
    if member.state == MISSING:
        return "lost, not in the group"
    if member.state != "ONLINE":
        return member.state.lower()
    if member.role == "PRIMARY":
        return "primary"
    return f"replica, lag {member.lag_transactions}"


def member_tone(member: MemberStatus) -> str:
    """Say how grave a member's state is."""
    return "ok" if member.state == "ONLINE" else "warn" if member.state == "RECOVERING" else "bad"
