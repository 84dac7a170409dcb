"""Conveyor as one of the contenders, with workers of the contest's own."""

import shutil
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

import redis

from bench.contest.contender import WORKER, Contender
from bench.contest.programs import Program, running
from bench.system import WORKERS, System
from bench.usage import Usage
from stack.credentials import load_credentials
from stack.supervisor import ROOT

NAME = "conveyor"
TABLE = "products"
PARALLEL = "2 children"
RELAYS = ("relay-1", "relay-2")
RELAY = RELAYS[0]
RECOVERY = ("TASK_LEASE_SECONDS", "TASK_REDELIVERY_SECONDS", "VISIBILITY_TIMEOUT_SECONDS")
GROUPS = {
    WORKER: "worker",
    "api": "API",
    "redis": "Redis",
    "mysqld": "mysqld",
    "haproxy": "HAProxy",
    "relays": "relays",
}
REDIS_SECONDS = 5


@contextmanager
def conveyor(system: System, recovery_seconds: int | None = None) -> Iterator[Contender]:
    """Have the system's own workers rest meanwhile, and its relays where they are to be quicker."""
    settings = dict.fromkeys(RECOVERY, str(recovery_seconds)) if recovery_seconds else {}
    folder = system.stack.directory / "contest"
    folder.mkdir(exist_ok=True)
    environments = {name: system.stack.env_for(name) | settings for name in (*WORKERS, RELAY)}

    def workers(processes: int) -> list[Program]:
        more = [f"worker-{number + 1}" for number in range(len(WORKERS), processes)]
        own = [_worker(folder, name, environments[name]) for name in WORKERS[:processes]]
        unseen = environments[WORKERS[0]] | {"WORKER_METRICS_PORT": "0"}
        return [*own, *(_worker(folder, name, unseen | {"REPLICA_NAME": name}) for name in more)]

    with ExitStack() as opened:
        opened.callback(shutil.rmtree, folder, ignore_errors=True)
        for name in (*WORKERS, *(RELAYS if settings else ())):
            opened.enter_context(system.without(name))
        if settings:
            relay = Program((sys.executable, "-m", "worker.relay"), environments[RELAY], ROOT)
            opened.enter_context(running([relay], folder / "log"))
        queue = queue_of(system)
        yield Contender(NAME, PARALLEL, system.port, TABLE, queue, workers, _nothing, GROUPS)


def _worker(folder: Path, name: str, environment: Mapping[str, str]) -> Program:
    own = {
        "WORKER_READY_FILE": str(folder / f"{name}.ready"),
        "WORKER_HEARTBEAT_FILE": str(folder / f"{name}.heartbeat"),
        "TMPDIR": str(folder),
    }
    return Program((sys.executable, "-m", "worker"), {**environment, **own}, ROOT)


def queue_of(system: System) -> redis.Redis:
    password = load_credentials(system.stack.directory / "secrets.json").redis_password
    port = system.stack.ports["redis"]
    return redis.Redis(port=port, password=password, socket_timeout=REDIS_SECONDS, decode_responses=True)


def _nothing() -> dict[str, Usage]:
    """Return no process of its own: all of them are the system's."""
    return {}
