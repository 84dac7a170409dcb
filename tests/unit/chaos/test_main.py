import subprocess
import sys

from tests.chaos.__main__ import FAULTS, STOCK_KINDS, TASKS
from tests.chaos.plan import Kind
from tests.run import ROOT


def test_the_long_form_is_as_long_as_it_claims() -> None:
    assert (TASKS, FAULTS) == (20_000, 200)


def test_stock_celery_is_spared_only_what_it_does_not_have() -> None:
    assert set(Kind) - set(STOCK_KINDS) == {Kind.RELAY_KILL, Kind.RELAY_TERM, Kind.RELAY_FREEZE}


def test_a_plan_can_be_read_before_it_is_carried_out() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.chaos", "--seed", "7", "--faults", "3", "--plan"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.startswith("   1. after ")
    assert "kill" in done.stdout or "SIG" in done.stdout or "connections" in done.stdout
