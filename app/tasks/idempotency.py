"""What a repeated Idempotency-Key gives: the tasks that were accepted under it, and no others."""

import hashlib
import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Self

from app.database.sessions import WriteSession
from app.models import Task
from app.problems import ProblemError
from app.tasks.repository import TaskRepository


class Claim:
    """A client's key, and what the client means by it: one key per task, in the tasks' order."""

    def __init__(self, keys: Sequence[str], meant: object) -> None:
        self._keys = keys
        self._fingerprint = _digest(json.dumps(meant, sort_keys=True))

    @classmethod
    def for_one(cls, key: str, name: str, payload: dict[str, Any]) -> Self:
        """Claim a key for a task."""
        return cls([key], [name, payload])

    @classmethod
    def for_all(cls, key: str, name: str, payloads: Sequence[dict[str, Any]]) -> Self:
        """Claim a key for tasks that are accepted together; no two rows may carry the same one."""
        digest = _digest(key)
        return cls([f"{digest}:{number}" for number in range(len(payloads))], [name, list(payloads)])

    def mark(self, tasks: Sequence[Task]) -> None:
        """Give new tasks their keys."""
        for task, key in zip(tasks, self._keys, strict=True):
            task.idempotency_key, task.fingerprint = key, self._fingerprint

    def accepted_before(self, session: WriteSession) -> list[Task]:
        """Return the tasks of the key, in their order, or none.

        Raises:
            ProblemError: the key belongs to another task or payload.
        """
        found = {task.idempotency_key: task for task in TaskRepository(session).list_by_keys(self._keys)}
        if any(task.fingerprint != self._fingerprint for task in found.values()):
            raise ProblemError(
                HTTPStatus.UNPROCESSABLE_ENTITY,
                "This Idempotency-Key was used for another task or payload; take a new key.",
            )
        return [found[key] for key in self._keys if key in found]

    def accepted_by_the_winner(self, session: WriteSession) -> list[Task]:
        """Return the tasks of a concurrent request with the same key.

        Raises:
            ProblemError: that request failed, or the key belongs to another task or payload.
        """
        tasks = self.accepted_before(session)
        if not tasks:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "A concurrent request with this Idempotency-Key failed. Try again.",
                {"Retry-After": "1"},
            )
        return tasks


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
