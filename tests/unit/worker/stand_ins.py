"""Stand-ins for the ledger that fail on demand."""

import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy.exc import OperationalError

from app.attempts.lifecycle import GiveUp, Skip
from app.attempts.repository import Attempt

ATTEMPT = Attempt(
    task_id="0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77",
    name="echo",
    queue="default",
    number=1,
    max_attempts=4,
    owner="worker-1:abc",
    payload={"word": "hello"},
    retry_delay_seconds=60,
    request_id="request-1",
    queue_wait_seconds=0.25,
    age_seconds=100,
)


def mysql_error(code: int) -> OperationalError:
    return OperationalError("UPDATE tasks", {"secret": 1}, Exception(code, f"error {code}"))


@dataclass
class Script:
    """What each kind of call raises, in turn; None lets it pass, and so does the end of the list."""

    claim: list[Exception | None] = field(default_factory=list)
    commit: list[Exception | None] = field(default_factory=list)
    succeed: list[Exception | None] = field(default_factory=list)
    record: list[Exception | None] = field(default_factory=list)
    is_cancelled: list[Exception | None] = field(default_factory=list)

    def step(self, name: str) -> None:
        planned = getattr(self, name)
        error = planned.pop(0) if planned else None
        if error:
            raise error


class StandInSession:
    role = "primary"

    def __init__(self, ledger: "StandInLedger") -> None:
        self.ledger = ledger

    def commit(self) -> None:
        self.ledger.script.step("commit")
        self.ledger.commits += 1

    def rollback(self) -> None:
        self.ledger.rollbacks += 1

    def invalidate(self) -> None:
        self.ledger.invalidated += 1


class StandInLedger:
    """Stands in for Database, AttemptRepository and RequestLogRepository at once."""

    def __init__(self, claim: Attempt | Skip | GiveUp = ATTEMPT) -> None:
        self.claimed = claim
        self.script = Script()
        self.is_held = True
        self.cancelled = False
        self.held: Attempt | None = ATTEMPT
        self.commits = self.rollbacks = self.invalidated = 0
        self.recorded = threading.Event()
        self.calls: list[tuple[Any, ...]] = []

    @contextmanager
    def write(self) -> Iterator[StandInSession]:
        yield StandInSession(self)

    def repository(self, session: StandInSession) -> "StandInLedger":
        return session.ledger

    def claim(self, *arguments: object) -> Attempt | Skip | GiveUp:
        self.calls.append(("claim", *arguments))
        self.script.step("claim")
        return self.claimed

    def succeed(self, _attempt: Attempt, result: object) -> bool:
        self.calls.append(("succeed", result))
        self.script.step("succeed")
        return self.is_held

    def retry_later(self, _attempt: Attempt, error: str) -> bool:
        return self._record("retry_later", error)

    def fail(self, _attempt: Attempt, error: str) -> bool:
        return self._record("fail", error)

    def is_cancelled(self, _attempt: Attempt) -> bool:
        self.script.step("is_cancelled")
        return self.cancelled

    def add_task_run(self, task_id: str, name: str, duration_seconds: float, request_id: str | None) -> None:
        assert duration_seconds >= 0
        self.calls.append(("add_task_run", task_id, name, request_id))

    def find_held(self, *_: object) -> Attempt | None:
        return self.held

    def renew(self, _owner: str, task_ids: list[str], lease_seconds: float) -> int:
        self.calls.append(("renew", tuple(task_ids), lease_seconds))
        self.script.step("record")
        return len(task_ids) if self.is_held else 0

    def count_waiting(self, task_ids: Collection[str]) -> int:
        return len(task_ids)

    def release(self, owner: str) -> list[str]:
        self.calls.append(("release", owner))
        self.script.step("record")
        return [ATTEMPT.task_id]

    def names(self) -> list[str]:
        return [name for name, *_ in self.calls]

    def _record(self, name: str, error: str) -> bool:
        self.calls.append((name, error))
        self.recorded.set()
        self.script.step("record")
        return self.is_held
