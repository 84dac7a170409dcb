"""Gathers the state of workers, queues, Redis and MySQL, in less than a second whatever is down."""

import json
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from redis import Redis

from app.cluster.repository import MISSING, ClusterRepository, Member
from app.cluster.schemas import (
    ClusterStatus,
    MemberStatus,
    MySQLStatus,
    QueueStatus,
    RedisStatus,
    WorkerStatus,
)
from app.database.routing import Database
from app.health import Answer, Prober
from app.settings import Settings
from app.tasks.queues import QueueInspector, QueueState
from app.tasks.registry import TaskRegistry

WORKERS_KEY = "conveyor:workers"
ALIVE_SECONDS = 10
TIMEOUT_SECONDS = 0.8


class ClusterService:
    """Asks every part at once."""

    def __init__(self, database: Database, redis: Redis, settings: Settings, registry: TaskRegistry) -> None:
        self._database = database
        self._redis = redis
        self._expected_members = settings.db_members
        self._queues = registry.queues(settings.task_queue)
        self._inspector = QueueInspector(redis)
        # how ready this replica is must not be an answer from before
        self._prober, self._shared_prober = Prober(), Prober(shares=True)

    def status(self) -> ClusterStatus:
        """Return what is known of every part."""
        answers = self._shared_prober.ask(
            {
                "redis": self._redis.ping,
                "workers": self._read_workers,
                "queues": self._read_queues,
                "mysql": self._read_members,
            },
            TIMEOUT_SECONDS,
        )
        workers: list[WorkerStatus] = answers["workers"].value or []
        queues: list[QueueStatus] = answers["queues"].value or []
        redis, mysql = _redis_status(answers["redis"]), _mysql_status(answers["mysql"])
        unknown = unknown_parts(answers)
        problems = [
            *redis_problems(redis),
            *(unknown_problems(unknown) if redis.up else []),
            *([] if "workers" in unknown else worker_problems(workers)),
            *([] if "workers" in unknown else queue_problems(queues, workers)),
            *mysql_problems(mysql, self._expected_members),
        ]
        return ClusterStatus(
            status="degraded" if problems else "ok",
            problems=problems,
            workers=workers,
            queues=queues,
            redis=redis,
            mysql=mysql,
            unknown=unknown,
        )

    def readiness(self) -> dict[str, Answer]:
        """Ask what this replica needs, and what it can do without for a while."""
        questions: dict[str, Callable[[], Any]] = {"database": self._read_one, "redis": self._redis.ping}
        return self._prober.ask(questions, TIMEOUT_SECONDS)

    def close(self) -> None:
        """End the threads."""
        self._prober.close()
        self._shared_prober.close()

    def _read_one(self) -> str:
        with self._database.read() as session:
            return session.role

    def _read_workers(self) -> list[WorkerStatus]:
        entries = self._redis.hgetall(WORKERS_KEY)
        return sorted(
            (read_worker(str(name), entry, time.time()) for name, entry in entries.items()),
            key=lambda worker: worker.name,
        )

    def _read_queues(self) -> list[QueueStatus]:
        return [read_queue(name, self._inspector.inspect(name), datetime.now(UTC)) for name in self._queues]

    def _read_members(self) -> list[Member]:
        with self._database.read() as session:
            return ClusterRepository(session).members()


def unknown_parts(answers: Mapping[str, Answer]) -> dict[str, str]:
    """Name the parts that gave no answer, and why."""
    return {name: answer.error for name, answer in answers.items() if answer.error}


def read_worker(name: str, entry: str | bytes, now: float) -> WorkerStatus:
    """Read what a worker last said of itself."""
    said = json.loads(entry)
    age = max(0.0, now - said["heartbeat"])
    return WorkerStatus(
        name=name,
        alive=age < ALIVE_SECONDS,
        heartbeat_age_seconds=round(age, 1),
        concurrency=said["concurrency"],
        queues=said["queues"],
        running=said["running"],
    )


def read_queue(name: str, state: QueueState, now: datetime) -> QueueStatus:
    """Show a queue."""
    age = state.age_seconds(now)
    rounded = None if age is None else round(age, 3)
    return QueueStatus(name=name, depth=state.depth, oldest_age_seconds=rounded)


def _redis_status(answer: Answer) -> RedisStatus:
    milliseconds = None if answer.error else round(answer.seconds * 1000, 2)
    return RedisStatus(up=answer.error is None, round_trip_ms=milliseconds, error=answer.error)


def _mysql_status(answer: Answer) -> MySQLStatus:
    members = [MemberStatus.model_validate(member) for member in answer.value or []]
    return MySQLStatus(up=answer.error is None, members=members, error=answer.error)


def worker_problems(workers: Iterable[WorkerStatus]) -> list[str]:
    """Say what is wrong with the workers."""
    silent = [
        f"{worker.name} has been silent for {worker.heartbeat_age_seconds:.0f} s"
        for worker in workers
        if not worker.alive
    ]
    if not any(worker.alive for worker in workers):
        silent.append("no worker is known to be alive: tasks are accepted and wait")
    return silent


def unknown_problems(unknown: Mapping[str, str]) -> list[str]:
    """Say what Redis did not tell although it answers."""
    return [
        f"the {name} are not known ({unknown[name]})" for name in ("workers", "queues") if name in unknown
    ]


def queue_problems(queues: Iterable[QueueStatus], workers: Iterable[WorkerStatus]) -> list[str]:
    """Say in which queues tasks wait for nobody; without any worker, that is said once for all."""
    taken = {queue for worker in workers if worker.alive for queue in worker.queues}
    return [
        f"no worker takes from the queue {queue.name}, in which {queue.depth} wait"
        for queue in queues
        if taken and queue.depth and queue.name not in taken
    ]


def redis_problems(redis: RedisStatus) -> list[str]:
    """Say what is wrong with Redis."""
    return [] if redis.up else [f"Redis is down: tasks are accepted and wait ({redis.error})"]


def mysql_problems(mysql: MySQLStatus, expected_members: int) -> list[str]:
    """Say what is wrong with the group of MySQL members."""
    if not mysql.up:
        return [f"MySQL cannot be read ({mysql.error})"]
    online = [member for member in mysql.members if member.state == "ONLINE"]
    problems = [_member_problem(member) for member in mysql.members if member.state != "ONLINE"]
    if mysql.members and not any(member.role == "PRIMARY" for member in online):
        problems.append("MySQL has no primary: tasks cannot be accepted")
    if len(online) < expected_members:
        problems.append(f"{len(online)} of {expected_members} MySQL members are online")
    return problems


def _member_problem(member: MemberStatus) -> str:
    if member.state == MISSING:
        return f"{member.address} is lost: it is not in the group"
    return f"{member.address} is {member.state}"
