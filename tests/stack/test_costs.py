"""What a task costs beside stock Celery, in ratios and counts: times mean nothing on another machine."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from statistics import median

import pytest

from bench.contest.conveyor import NAME
from bench.contest.standing import STOCK, worker_cpu
from bench.contest.turn import Turn
from bench.effort import QUICK
from bench.peers.catalogue import PEERS
from bench.scenarios.peers import play_all
from bench.system import running_system
from stack.packages import find_daemons

# Several batches after the warm-up, or the edge of one is what is compared.
EFFORT = replace(QUICK, contest_turns=2, contest_tasks=1500)
# They make a program measure its coverage, which slows Conveyor's code down and not its peer's.
COVERAGE = ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG")
# Far enough from what a run showed to hold on a busy machine, near enough to break where short tasks are no
# longer executed together. Whoever makes a task cheaper lowers them.
MOST_WORKER_CPU = 0.6  # times stock Celery's: 0.2-0.4, and 6 without batches
MOST_REDIS_COMMANDS = 8.0  # 5.5, and 10.9
MOST_TRANSACTIONS = 1.5  # 0.8, and 3.2


@pytest.fixture(scope="module")
def turns() -> Mapping[str, Sequence[Turn]]:
    with pytest.MonkeyPatch.context() as patch:
        for name in COVERAGE:
            patch.delenv(name, raising=False)
        with running_system(find_daemons(lambda _: None)) as system:
            return play_all(system, EFFORT, [peer for peer in PEERS if peer.name == STOCK])


def test_a_worker_uses_no_more_cpu_beside_stock_celery_than_it_did(
    turns: Mapping[str, Sequence[Turn]],
) -> None:
    own, stock = ([worker_cpu(name, turn) for turn in turns[name]] for name in (NAME, STOCK))
    assert median(own) / median(stock) < MOST_WORKER_CPU


def test_a_task_asks_redis_and_mysql_no_more_than_it_did(turns: Mapping[str, Sequence[Turn]]) -> None:
    assert median(turn.commands_per_task for turn in turns[NAME]) < MOST_REDIS_COMMANDS
    assert median(turn.transactions_per_task for turn in turns[NAME]) < MOST_TRANSACTIONS


def test_every_accepted_task_made_its_one_row(turns: Mapping[str, Sequence[Turn]]) -> None:
    assert {(turn.lost, turn.doubled) for played in turns.values() for turn in played} == {(0, 0)}
