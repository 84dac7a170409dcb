"""The verdict finds what it claims to find: each promise broken once, in either system."""

from dataclasses import replace

import pytest

from tests.chaos.verdict import Effects, Verdict, count, judge
from tests.unit.chaos.orders import MEMBERS, NO_ANSWER, UNAVAILABLE, effects, log, order, row

A, B = order("a"), order("b", key=False)
DONE = effects("task-a", "task-b")


def words(verdict: Verdict) -> list[str]:
    return [str(violation) for violation in verdict.violations]


def without(task_id: str, kept: Effects) -> Effects:
    return replace(
        kept,
        products=[task for task in kept.products if task != task_id],
        logs=[one for one in kept.logs if one.task_id != task_id],
    )


@pytest.mark.parametrize("stock", [True, False])
def test_each_accepted_task_done_once_is_as_promised(stock: bool) -> None:  # noqa: FBT001 - a parameter
    verdict = judge([A, B], effects("task-a", "task-b", stock=stock))
    assert verdict.holds
    assert verdict.accepted == 2


def test_a_task_without_effect_is_lost() -> None:
    verdict = judge([A, B], without("task-b", effects("task-a", "task-b", stock=True)))
    assert words(verdict) == [
        "1 accepted, but without a product: task-b",
        "1 accepted, but without a row in the log: task-b",
    ]
    assert count(verdict.lost) == 1


def test_half_an_effect_is_a_loss_as_well() -> None:
    verdict = judge([A, B], replace(DONE, products=["task-a"]))
    assert words(verdict) == ["1 accepted, but without a product: task-b"]
    verdict = judge([A, B], replace(DONE, logs=[log("task-a")]))
    assert words(verdict) == ["1 accepted, but without a row in the log: task-b"]


def test_a_task_that_the_ledger_says_failed_or_never_heard_of_is_lost() -> None:
    ledger = {"task-b": row("task-b", "failed")}
    verdict = judge([A, B], replace(DONE, ledger=ledger))
    assert words(verdict) == ["1 accepted, but not in the ledger: task-a", "1 accepted, but failed: task-b"]
    assert count(verdict.lost) == 2


def test_a_second_product_or_log_row_is_double() -> None:
    verdict = judge([A, B], replace(DONE, products=["task-a", "task-a", "task-b"]))
    assert words(verdict) == ["1 with more than one product: task-a"]
    verdict = judge([A, B], replace(DONE, logs=[*DONE.logs, log("task-a")]))
    assert words(verdict) == ["1 with more than one row in the log: task-a"]


def test_a_key_that_made_two_tasks_is_double_though_each_was_done_once() -> None:
    retried = order("a", NO_ANSWER, 202, task="task-a")
    made = effects("task-a", "task-x", "task-b")
    first_try = replace(made, logs=[log("task-a", "a-1"), log("task-x", "a-0"), log("task-b")])
    verdict = judge([retried, B], first_try)
    assert words(verdict) == ["2 of one Idempotency-Key: task-a, task-x"]


def test_a_key_that_is_answered_with_another_task_is_double() -> None:
    repeated = order("a")
    repeated.other_task_ids.add("task-b")
    verdict = judge([repeated, B], DONE)
    assert words(verdict) == ["2 of one Idempotency-Key: task-a, task-b"]


def test_a_request_without_a_key_that_made_two_tasks_is_double() -> None:
    made = effects("task-a", "task-b", "task-x")
    verdict = judge([A, B], replace(made, logs=[*DONE.logs, log("task-x", "b-0")]))
    assert "2 of one request: task-b, task-x" in words(verdict)


def test_an_effect_that_nobody_asked_for_is_found() -> None:
    verdict = judge([A, B], effects("task-a", "task-b", "task-x"))
    assert words(verdict) == ["1 done, but never accepted: task-x"]
    assert count(verdict.unaccepted) == 1


@pytest.mark.parametrize("status", [NO_ANSWER, UNAVAILABLE])
def test_a_request_without_a_right_answer_may_have_been_accepted_or_not(status: int) -> None:
    unsure = order("b", status, key=False)
    assert judge([A, unsure], effects("task-a")).holds
    assert judge([A, unsure], effects("task-a", "task-b")).holds


def test_an_open_task_is_found_even_if_its_client_never_heard_of_it() -> None:
    ledger = {**(DONE.ledger or {}), "task-x": row("task-x", "retrying")}
    assert words(judge([A, B], replace(DONE, ledger=ledger))) == ["1 still open in the ledger: task-x"]


def test_members_that_differ_and_messages_that_are_left_are_found() -> None:
    different = replace(DONE, positions=MEMBERS | {"mysql-1": "a:1-8"}, leftovers={"unacked": 2, "x": 0})
    assert words(judge([A, B], different)) == [
        "3 MySQL members with different transactions: mysql-0, mysql-1, mysql-2",
        "1 keys of Redis still hold messages: unacked",
    ]


def test_many_are_counted_and_a_few_are_named() -> None:
    orders = [order(f"{number}") for number in range(7)]
    verdict = judge(orders, effects(stock=True))
    assert words(verdict)[0] == (
        "7 accepted, but without a product: task-0, task-1, task-2, task-3, task-4, …"
    )
