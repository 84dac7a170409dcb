"""Whatever dies at whatever commit, each accepted task ends, and takes effect exactly once."""

import pytest
from hypothesis import settings
from hypothesis.stateful import run_state_machine_as_test

from app.models import TaskStatus
from tests.stack.ledger.faults import CommitFault
from tests.stack.ledger.machine import Death, LedgerMachine
from tests.stack.ledger.records import read_records
from tests.stack.ledger.workers import LEASE_SECONDS
from tests.stack.worker.ledger import Ledger

LONG = "ledger-long"


@pytest.fixture
def machine(lone_ledger: Ledger) -> type[LedgerMachine]:
    class Machine(LedgerMachine):
        database, settings, user_id = lone_ledger.database, lone_ledger.settings, lone_ledger.user_id

    return Machine


@pytest.mark.timeout(3600)
def test_the_ledger_is_true_after_every_fault_and_every_task_ends(machine: type[LedgerMachine]) -> None:
    profile = LONG if settings.get_current_profile_name() == LONG else "ledger"
    run_state_machine_as_test(machine, settings=settings.get_profile(profile))


def test_the_loss_of_a_process_that_is_written_late_does_not_end_the_next_attempt(
    machine: type[LedgerMachine],
) -> None:
    system = machine()
    system.begin_with_tasks(count=1, started=1)
    system.the_ledger_is_true()
    system.die(0, Death.OF_PROCESS, CommitFault.LOST)
    system.let_time_pass(LEASE_SECONDS + 1)
    system.relays[0].reconcile()
    worker = system.workers[0]
    worker.receive(system.queue.take(0))

    worker.renew()

    [record] = read_records(system.database, system.name).values()
    assert (record.status, record.attempts, record.error) == (TaskStatus.RUNNING, 2, None)
    system.teardown()
