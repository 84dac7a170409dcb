"""The short form of the kill suite, and what it is made from that needs sockets."""

import signal
from pathlib import Path

import pytest


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.chaos)
            # a slow machine makes a run long, not wrong
            item.add_marker(pytest.mark.timeout(1200))


@pytest.fixture(scope="session", autouse=True)
def _ends_in_order() -> None:
    # so that a run that is told to end takes down what it started
    signal.signal(signal.SIGTERM, signal.default_int_handler)
