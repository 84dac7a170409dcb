"""A ledger that nobody else touches: the stack's relays rest, its workers take from other queues."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir

from stack.supervisor import Stack
from tests.stack.parts import held_down
from tests.stack.worker.ledger import Ledger

RELAYS = ("relay-1", "relay-2")
QUIET = tuple(HealthCheck)

set_hypothesis_home_dir(Path(__file__).parents[3] / ".cache" / "hypothesis")
settings.register_profile(
    "ledger",
    max_examples=40,
    stateful_step_count=40,
    derandomize=True,
    deadline=None,
    suppress_health_check=QUIET,
)
# pytest tests/stack/ledger --hypothesis-profile=ledger-long
settings.register_profile(
    "ledger-long",
    max_examples=2000,
    stateful_step_count=60,
    derandomize=False,
    deadline=None,
    print_blob=True,
    suppress_health_check=QUIET,
)


@pytest.fixture
def lone_ledger(stack: Stack) -> Iterator[Ledger]:
    with held_down(stack, *RELAYS):
        ledger = Ledger(stack.env_for("worker-1"))
        yield ledger
        ledger.close()
