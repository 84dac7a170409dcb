from hypothesis import given
from hypothesis import strategies as st

from app.attempts.lifecycle import GiveUp, Run, Skip, SkipReason, TaskState, decide_delivery, may_retry
from app.models import FINAL_STATUSES, TaskStatus

states = st.builds(
    TaskState,
    status=st.sampled_from(TaskStatus),
    attempts=st.integers(0, 6),
    max_attempts=st.integers(1, 5),
    is_due=st.booleans(),
    lease_expired=st.booleans(),
)


def state(status: TaskStatus, **changes: bool | int) -> TaskState:
    facts = {"attempts": 0, "max_attempts": 4, "is_due": True, "lease_expired": True} | changes
    return TaskState(status, **facts)  # type: ignore[arg-type] # a dict of mixed values


def test_a_queued_task_runs_as_its_first_attempt() -> None:
    assert decide_delivery(state(TaskStatus.QUEUED)) == Run(1)


def test_a_second_delivery_leaves_a_task_alone_while_its_worker_lives() -> None:
    decision = decide_delivery(state(TaskStatus.RUNNING, attempts=1, lease_expired=False))
    assert decision == Skip(SkipReason.RUNNING_ELSEWHERE)


def test_a_task_whose_worker_fell_silent_runs_again() -> None:
    assert decide_delivery(state(TaskStatus.RUNNING, attempts=1)) == Run(2)


def test_a_stale_message_does_not_cut_the_pause_before_a_retry() -> None:
    decision = decide_delivery(state(TaskStatus.RETRYING, attempts=1, is_due=False))
    assert decision == Skip(SkipReason.NOT_DUE)


def test_a_task_that_kills_its_workers_is_given_up_with_the_reason() -> None:
    decision = decide_delivery(state(TaskStatus.RUNNING, attempts=4))
    assert decision == GiveUp("its worker died or fell silent in each of 4 attempts", 4)


@given(states)
def test_a_final_task_never_runs(task: TaskState) -> None:
    if task.status in FINAL_STATUSES:
        assert decide_delivery(task) == Skip(SkipReason.FINAL)


@given(states)
def test_no_attempt_is_numbered_beyond_the_allowed(task: TaskState) -> None:
    decision = decide_delivery(task)
    if isinstance(decision, Run):
        assert task.attempts < decision.attempt <= task.max_attempts


@given(states)
def test_two_attempts_never_run_under_valid_leases(task: TaskState) -> None:
    if task.status is TaskStatus.RUNNING and not task.lease_expired:
        assert not isinstance(decide_delivery(task), Run)


def test_the_last_attempt_has_no_retry() -> None:
    assert may_retry(attempt=3, max_attempts=4)
    assert not may_retry(attempt=4, max_attempts=4)
