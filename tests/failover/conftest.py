"""One system for all cases; each finds it whole again."""

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from stack.packages import find_daemons
from tests.failover.system import FAILURE_LOG, System, running_system

running: list[System] = []


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.failover)
            # a slow machine makes a case long, not wrong
            item.add_marker(pytest.mark.timeout(600))


@pytest.fixture(scope="session")
def system() -> Iterator[System]:
    # so that a run that is told to end takes down what it started
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with running_system(find_daemons(lambda _: None)) as system:
        running.append(system)
        yield system


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    outcomes = [outcome for system in running for outcome in system.outcomes]
    if outcomes:
        terminalreporter.section(f"what each failure cost; the system's log: {FAILURE_LOG}")
        for outcome in outcomes:
            terminalreporter.write_line(str(outcome))
