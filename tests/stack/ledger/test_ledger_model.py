"""Whatever dies at whatever commit, each accepted task ends, and takes effect exactly once."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from tests.stack.ledger.machine import LedgerMachine
from tests.stack.worker.ledger import Ledger

LONG = "ledger-long"


@pytest.mark.timeout(3600)
def test_the_ledger_is_true_after_every_fault_and_every_task_ends(lone_ledger: Ledger) -> None:
    class Machine(LedgerMachine):
        database, settings, user_id = lone_ledger.database, lone_ledger.settings, lone_ledger.user_id

    profile = LONG if settings.get_current_profile_name() == LONG else "ledger"
    run_state_machine_as_test(Machine, settings=settings.get_profile(profile))
