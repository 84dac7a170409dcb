"""The whole system as a fixture: the same class as `make up`, on free ports, with short delays."""

import os
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import httpx2 as httpx
import pytest

from stack.disposable import clear_abandoned_runs
from stack.packages import find_daemons
from stack.ports import free_ports
from stack.supervisor import ROOT, Stack, StackConfig
from tests.stack.api_client import new_user
from tests.stack.mysql_group import ORDINALS, Group, handover_directory

RUNS = ROOT / ".cache" / "stacks"
LOG_LINES = 200
APPLICATION = ("migrate", "api", "worker", "relay", "flower")
SETTINGS = {
    "TASK_LEASE_SECONDS": "3",
    "TASK_RETRY_DELAY_SECONDS": "1",
    "TASK_REDELIVERY_SECONDS": "2",
    "WORKER_SOFT_SHUTDOWN_SECONDS": "2",
    "VISIBILITY_TIMEOUT_SECONDS": "10",
    "RELAY_INTERVAL_SECONDS": "0.2",
    # the README's example of a task of one's own
    "TASK_MODULES": "greetings",
    "PYTHONPATH": str(ROOT / "examples"),
}

running: list[Stack] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.stack)
            # the first test also waits for everything to start, and each one for what it broke
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def stack() -> Iterator[Stack]:
    """Start everything once; a test may break any part, and the next one finds it whole again."""
    # so that a run that is told to end takes down what it started
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    clear_abandoned_runs(RUNS)
    directory = RUNS / str(os.getpid())
    overrides = dict.fromkeys(APPLICATION, SETTINGS) | {
        f"agent-{ordinal}": {"MYSQL_AGENT_HANDOVER_DIRECTORY": str(handover_directory(directory, ordinal))}
        for ordinal in ORDINALS
    }
    config = StackConfig(directory, free_ports(), find_daemons(lambda _: None), overrides, disposable=True)
    stack = Stack(config)
    running.append(stack)
    stack.start()
    yield stack
    running.remove(stack)
    stack.stop()
    shutil.rmtree(directory)


@pytest.fixture
def group(stack: Stack) -> Group:
    """Give the MySQL group once every member is online."""
    group = Group(stack)
    group.wait_complete()
    return group


@pytest.fixture
def api(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=15) as client:
        yield client


@pytest.fixture
def user_id(api: httpx.Client) -> int:
    return new_user(api)


@pytest.fixture(autouse=True)
def _everything_recovers(request: pytest.FixtureRequest) -> Iterator[None]:
    """Charge a part that does not recover to the test that broke it."""
    used = request.getfixturevalue("stack") if "stack" in request.fixturenames else None
    yield
    if used:
        used.wait_all_ready(90)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    if report.failed and "stack" in getattr(item, "fixturenames", ()):  # type: ignore[attr-defined]
        for stack in running:
            log = stack.directory / "log"
            lines = log.read_text(encoding="utf-8", errors="replace").splitlines()[-LOG_LINES:]
            report.sections.append(("the stack's log", "\n".join(lines)))  # type: ignore[attr-defined]
    return report
