"""SQL of batches. The texts are constant however large a batch is: rows travel as one parameter of JSON."""

import json
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy import CursorResult, Row, text

from app.attempts.lifecycle import Run, Skip, TaskState, decide_delivery
from app.database.sessions import WriteSession
from app.models import TaskStatus
from app.requests.repository import HTTP_OK, TASK_METHOD, WORKER_SERVER_ID

FIRST = Run(1)
TASK_ID = "CHAR(36) CHARACTER SET ascii COLLATE ascii_bin"
# By their keys and in the order of the parameter, so that of two batches one waits and neither is a deadlock.
LOCK = text(f"""
    SELECT tasks.id, tasks.status, tasks.attempts, tasks.max_attempts, tasks.payload, tasks.request_id,
        tasks.available_at <= NOW(6) AS is_due,
        tasks.lease_until IS NULL OR tasks.lease_until < NOW(6) AS lease_expired,
        TIMESTAMPDIFF(MICROSECOND, tasks.available_at, NOW(6)) AS waited_us,
        TIMESTAMPDIFF(MICROSECOND, tasks.created_at, NOW(6)) AS age_us
    FROM JSON_TABLE(:ids, '$[*]' COLUMNS (id {TASK_ID} PATH '$')) AS batch
    STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = batch.id
    FOR UPDATE OF tasks
""")  # noqa: S608 - constant
FINISHED = f"""
    JSON_TABLE(:ends, '$[*]' COLUMNS (
        id {TASK_ID} PATH '$.task_id', took_us BIGINT PATH '$.took_us', result JSON PATH '$.result',
        request_id VARCHAR(64) PATH '$.request_id'
    )) AS batch
"""
SUCCEED = text(f"""
    UPDATE {FINISHED} STRAIGHT_JOIN tasks FORCE INDEX (PRIMARY) ON tasks.id = batch.id
    SET tasks.status = 'succeeded', tasks.attempts = 1, tasks.worker = :worker, tasks.result = batch.result,
        tasks.started_at = TIMESTAMPADD(MICROSECOND, -batch.took_us, NOW(6)), tasks.finished_at = NOW(6),
        tasks.error = NULL, tasks.lease_owner = NULL, tasks.lease_until = NULL
    WHERE tasks.status = 'queued' AND tasks.attempts = 0
""")  # noqa: S608 - constant
LOG = text(f"""
    INSERT INTO requests (server_id, task_id, method, path, status_code, duration_ms, request_id)
    SELECT :server, batch.id, :method, :path, :code, batch.took_us / 1000, batch.request_id FROM {FINISHED}
""")  # noqa: S608 - constant
# The rows of a host that was lost or froze must not stay locked for as long as a long task may say nothing.
MOST_SILENT_SECONDS = 5
HURRY = text(f"SET @patience = @@SESSION.wait_timeout, SESSION wait_timeout = {MOST_SILENT_SECONDS}")
RELAX = text("SET SESSION wait_timeout = @patience")
# What ends the transaction unseen, an error that a task caught or a commit of its own, ends the savepoint:
# of others it must not undo anything.
BEGIN, END = text("SAVEPOINT batch"), text("RELEASE SAVEPOINT batch")


@dataclass(frozen=True)
class Member:
    """A task that nobody has started: its row is locked, so nobody else can."""

    task_id: str
    payload: dict[str, Any]
    request_id: str | None
    queue_wait_seconds: float
    age_seconds: float


@dataclass(frozen=True)
class End:
    """What is written of a task that has succeeded."""

    task_id: str
    request_id: str | None
    took_us: int
    result: dict[str, Any] | None


@dataclass(frozen=True)
class Locked:
    """What the ledger says of the tasks of a batch."""

    members: list[Member]
    skipped: dict[str, Skip]
    others: list[str]  # to be decided over one by one: retries, expired leases


class BatchRepository:
    """Claims and ends several tasks at once."""

    def __init__(self, session: WriteSession) -> None:
        self._session = session
        self._is_guarded = False

    def lock(self, task_ids: Collection[str]) -> Locked:
        """Lock the tasks until the end of the transaction; one that is unknown is in none of the lists.

        Until `relax` the server drops a connection that says nothing for some seconds.
        """
        self._session.execute(HURRY)
        rows = self._session.execute(LOCK, {"ids": json.dumps(sorted(task_ids))}).all()
        locked = Locked([], {}, [])
        for row in rows:
            decision = decide_delivery(_state(row))
            if decision == FIRST:
                locked.members.append(_member(row))
            elif isinstance(decision, Skip):
                locked.skipped[row.id] = decision
            else:
                locked.others.append(row.id)
        self._is_guarded = len(locked.members) > 1
        if self._is_guarded:
            self._session.execute(BEGIN)
        return locked

    def succeed(self, ends: Iterable[End], worker: str, name: str) -> bool:
        """Record that tasks have succeeded; False if it must be rolled back."""
        rows = [_without_nothing(end) for end in ends]
        written = {"ends": json.dumps(rows)}
        if self._is_guarded:
            self._session.execute(END)
        result = self._session.execute(SUCCEED, {**written, "worker": worker})
        columns = {"server": WORKER_SERVER_ID, "method": TASK_METHOD, "path": name, "code": HTTP_OK}
        self._session.execute(LOG, {**written, **columns})
        self.relax()
        return isinstance(result, CursorResult) and result.rowcount == len(rows)

    def relax(self) -> None:
        """Leave the connection as it was; what succeeds does so by itself, right before its commit."""
        self._session.execute(RELAX)


def _state(row: Row[Any]) -> TaskState:
    status = TaskStatus(row.status)
    return TaskState(status, row.attempts, row.max_attempts, bool(row.is_due), bool(row.lease_expired))


def _member(row: Row[Any]) -> Member:
    wait, age = (max(0, value) / 1_000_000 for value in (row.waited_us, row.age_us))
    return Member(row.id, json.loads(row.payload), row.request_id, wait, age)


def _without_nothing(end: End) -> dict[str, Any]:
    """Leave out what is None: of JSON's own null MySQL makes a value of a JSON column."""
    return {name: value for name, value in asdict(end).items() if value is not None}
