"""Looking a task up within a request: one way, whichever page or endpoint shows it."""

from typing import Annotated

from fastapi import Depends, Request

from app.database.sessions import Role
from app.dependencies import Reads, Tasks, Writes
from app.models import Task


class TaskLookup:
    """Finds tasks; whoever sees one ended will also see what it made."""

    def __init__(self, reads: Reads, writes: Writes, tasks: Tasks, request: Request) -> None:
        self._reads = reads
        self._writes = writes
        self._tasks = tasks
        self._request = request

    @property
    def read_from(self) -> Role:
        """The kind of member that is read."""
        return self._reads.role

    def find(self, task_id: str) -> Task:
        """Return a task.

        Raises:
            ProblemError: no such task was ever accepted.
        """
        task = self._tasks.get(self._reads, self._writes, task_id)
        if task.status.is_final:
            self._request.state.causality_position = self._reads.position()
        return task


Found = Annotated[TaskLookup, Depends()]
