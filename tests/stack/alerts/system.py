"""A system of its own, whose Prometheus lives a minute in a second."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace

import redis

from stack.application import Plan
from stack.disposable import clear_abandoned_runs
from stack.packages import Daemons
from stack.ports import free_ports
from stack.service import Service
from stack.supervisor import ROOT, Stack, StackConfig
from stack.topology import services
from tests.stack.alerts.hurry import hurried, promised
from tests.stack.alerts.watcher import Watcher
from tests.stack.mysql_group import ORDINALS, Group, handover_directory

RUNS = ROOT / ".cache" / "alerts"
APPLICATION = ("migrate", "api", "worker", "relay", "flower")
FACTOR = 60
TASK_SECONDS = "2.5"
SETTINGS = {
    "TASK_MODULES": "tests.stack.sample_tasks",
    "TASK_LEASE_SECONDS": "3",
    "TASK_RETRY_DELAY_SECONDS": "1",
    "TASK_REDELIVERY_SECONDS": "2",
    "WORKER_SOFT_SHUTDOWN_SECONDS": "2",
    "WORKER_CONCURRENCY": "3",
    "VISIBILITY_TIMEOUT_SECONDS": "4",
    "RELAY_INTERVAL_SECONDS": "0.2",
    "DB_POOL_SIZE": "2",
    "DB_READ_TIMEOUT_SECONDS": "3",
    "BACKUP_MAX_AGE_HOURS": "1",
}


class System:
    """What harms need of a running system."""

    def __init__(self, stack: Stack, watcher: Watcher) -> None:
        self.stack = stack
        self.watcher = watcher
        self.group = Group(stack)
        account = stack.env_for("relay-1")
        self.redis = redis.Redis(
            port=stack.ports["redis"],
            password=account["REDIS_PASSWORD"],
            socket_timeout=5,
            decode_responses=True,
        )

    def url(self, api: int) -> str:
        """Where one replica of the API answers, past HAProxy."""
        return f"http://127.0.0.1:{self.stack.ports[f'api-{api}']}"

    def replicas(self) -> list[int]:
        """The members that follow."""
        first = self.group.primary()
        return [ordinal for ordinal in ORDINALS if ordinal != first]


@contextmanager
def running_system(daemons: Daemons) -> Iterator[System]:
    clear_abandoned_runs(RUNS)
    directory = RUNS / str(os.getpid())
    overrides = dict.fromkeys(APPLICATION, SETTINGS) | {
        f"agent-{ordinal}": {"MYSQL_AGENT_HANDOVER_DIRECTORY": str(handover_directory(directory, ordinal))}
        for ordinal in ORDINALS
    }
    overrides["worker"] = {**SETTINGS, "WORKER_QUEUES": "default"}
    stack = Stack(
        StackConfig(directory, free_ports(), daemons, overrides, arrange=_in_a_hurry, disposable=True)
    )
    try:
        stack.start()
        with Watcher(stack.ports["prometheus"]) as watcher:
            yield System(stack, watcher)
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)


def _in_a_hurry(plan: Plan) -> list[Service]:
    made = services(plan)
    directory = plan.directory / "prometheus"
    for file in (directory / "rules").iterdir():
        file.write_text(promised(hurried(file.read_text(), FACTOR), TASK_SECONDS))
    configuration = directory / "prometheus.yml"
    text = configuration.read_text()
    configuration.write_text(
        text.replace("interval: 5s", "interval: 1s").replace("timeout: 4s", "timeout: 1s")
    )
    return [_without_end_at_full_files(one) if one.name == "redis" else one for one in made]


def _without_end_at_full_files(service: Service) -> Service:
    """Let a write beyond the limit of a file's size fail, as on a full disk, and not end the process."""
    return replace(service, argv=("sh", "-c", "trap '' XFSZ; exec \"$@\"", "sh", *service.argv))
