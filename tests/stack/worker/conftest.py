"""Workers of a test's own on a queue of its own, on the stack's daemons.

The stack's relays publish for every queue; its workers consume only their own. What is promised of the
messages in Redis is shown on a Redis of the test's own, without the stack.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from kombu import Connection

from stack.supervisor import Stack
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import OwnProcess, OwnWorker
from tests.stack.worker.receiver import connect
from tests.stack.worker.redis_server import OwnRedis

StartWorker = Callable[..., OwnWorker]
StartRelay = Callable[..., OwnProcess]
Connect = Callable[..., Connection]


@pytest.fixture
def environment(stack: Stack) -> dict[str, str]:
    return {
        **stack.env_for("worker-1"),
        "TASK_MODULES": "tests.stack.sample_tasks",
        "TASK_QUEUE": f"trial-{secrets.token_hex(4)}",
        "TASK_LEASE_SECONDS": "4",
        "TASK_REDELIVERY_SECONDS": "3",
        "WORKER_SOFT_SHUTDOWN_SECONDS": "2",
    }


@pytest.fixture
def ledger(environment: dict[str, str]) -> Iterator[Ledger]:
    ledger = Ledger(environment)
    yield ledger
    ledger.close()


@pytest.fixture
def start_worker(environment: dict[str, str], tmp_path: Path) -> Iterator[StartWorker]:
    """Start workers that are ready; they are killed at the end."""
    with ExitStack() as workers:

        def start(name: str = "own-worker", **changes: str) -> OwnWorker:
            worker = workers.enter_context(OwnWorker({**environment, **changes}, tmp_path, name))
            return worker.wait_ready()

        yield start


@pytest.fixture
def start_relay(environment: dict[str, str], tmp_path: Path) -> Iterator[StartRelay]:
    """Start relays; they are killed at the end."""
    with ExitStack() as relays:

        def start(**changes: str) -> OwnProcess:
            own = {"LOG_FORMAT": "json", "RELAY_INTERVAL_SECONDS": "0.3"}
            return relays.enter_context(
                OwnProcess("worker.relay", {**environment, **own, **changes}, tmp_path)
            )

        yield start


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OwnRedis]:
    with OwnRedis(tmp_path_factory.mktemp("redis")) as server:
        yield server


@pytest.fixture
def redis(server: OwnRedis) -> OwnRedis:
    server.client.flushall()
    server.client.config_resetstat()
    return server


@pytest.fixture
def connected(redis: OwnRedis) -> Iterator[Connect]:
    """Return connections that are closed at the end."""
    with ExitStack() as connections:
        yield lambda *arguments, **options: connections.enter_context(
            connect(redis.port, *arguments, **options)
        )
