"""Pure decisions about an attempt: may this delivery run, and what follows a failure."""

from dataclasses import dataclass
from enum import StrEnum

from app.models import TaskStatus


@dataclass(frozen=True)
class TaskState:
    """What the ledger says of a task at the moment a message for it arrives."""

    status: TaskStatus
    attempts: int
    max_attempts: int
    is_due: bool
    lease_expired: bool


class SkipReason(StrEnum):
    """Why a delivery is acknowledged without being run."""

    UNKNOWN = "unknown"
    FINAL = "final"
    NOT_DUE = "not_due"
    RUNNING_ELSEWHERE = "running_elsewhere"


@dataclass(frozen=True)
class Run:
    """Run it, as the attempt of this number."""

    attempt: int


@dataclass(frozen=True)
class Skip:
    """Leave it; whoever is responsible for the task goes on being so."""

    reason: SkipReason


@dataclass(frozen=True)
class GiveUp:
    """Fail it: every allowed attempt ended with the death of its worker."""

    error: str
    attempts: int


def decide_delivery(state: TaskState) -> Run | Skip | GiveUp:
    """Decide what to do with a delivered message of the task."""
    if state.status.is_final:
        return Skip(SkipReason.FINAL)
    if state.status is TaskStatus.RUNNING and not state.lease_expired:
        return Skip(SkipReason.RUNNING_ELSEWHERE)
    if state.status is TaskStatus.RETRYING and not state.is_due:
        return Skip(SkipReason.NOT_DUE)
    if state.attempts >= state.max_attempts:
        error = f"its worker died or fell silent in each of {state.attempts} attempts"
        return GiveUp(error, state.attempts)
    return Run(state.attempts + 1)


def may_retry(attempt: int, max_attempts: int) -> bool:
    """Tell whether a failed attempt is followed by another."""
    return attempt < max_attempts
