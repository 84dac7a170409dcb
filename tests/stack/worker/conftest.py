"""Workers of a test's own on a queue of its own, on the stack's daemons.

The stack's relays publish for every queue; its workers consume only their own.
"""

import secrets
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from stack.supervisor import Stack
from tests.stack.worker.ledger import Ledger
from tests.stack.worker.processes import OwnProcess, OwnWorker

StartWorker = Callable[..., OwnWorker]
StartRelay = Callable[..., OwnProcess]


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
