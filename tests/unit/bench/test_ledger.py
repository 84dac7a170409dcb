import math

import pytest

from bench.ledger import LedgerTask, discrepancies, tasks_per_second


def task(task_id: str, status: str = "succeeded", started: float = 0.0, finished: float = 1.0) -> LedgerTask:
    return LedgerTask(task_id, status, "worker-1", 0.0, started, finished)


def test_each_accepted_task_with_one_product_leaves_nothing_to_say() -> None:
    assert discrepancies(["a", "b"], [task("a"), task("b")], ["b", "a"]) == []


@pytest.mark.parametrize(
    ("tasks", "products", "said"),
    [
        ([task("a")], ["a", "b"], "1 accepted but not succeeded (b)"),
        ([task("a"), task("b", "failed")], ["a", "b"], "1 accepted but not succeeded (b)"),
        ([task("a"), task("b")], ["a"], "1 accepted but without a product (b)"),
        ([task("a"), task("b")], ["a", "b", "b"], "1 with more than one product (b)"),
        ([task("a"), task("b")], ["a", "b", "c"], "1 with a product but never accepted (c)"),
    ],
)
def test_whatever_is_not_exactly_once_is_named(
    tasks: list[LedgerTask], products: list[str], said: str
) -> None:
    assert discrepancies(["a", "b"], tasks, products) == [said]


def test_a_request_without_a_clear_answer_may_have_been_accepted() -> None:
    assert discrepancies(["a"], [task("a")], ["a", "b"], unclear=1) == []
    assert discrepancies(["a"], [task("a")], ["a", "b", "c"], unclear=1) != []


def test_of_many_discrepancies_a_few_are_named() -> None:
    assert discrepancies([*"abcd"], [task(name) for name in "abcd"], []) == [
        "4 accepted but without a product (a, b, c, …)"
    ]


def test_the_rate_counts_from_the_first_start_to_the_last_end() -> None:
    tasks = [task("a", started=10.0, finished=11.0), task("b", started=10.5, finished=14.0)]
    assert tasks_per_second(tasks) == 0.5


def test_a_task_is_read_from_the_apis_answer_in_seconds_since_the_epoch() -> None:
    item = {
        "task_id": "a",
        "status": "running",
        "worker": None,
        "created_at": "1970-01-01T00:00:01.250000Z",
        "started_at": "1970-01-01T00:00:02Z",
        "finished_at": None,
    }
    read = LedgerTask.of(item)
    assert (read.worker, read.created, read.started) == ("", 1.25, 2.0)
    assert math.isnan(read.finished)
