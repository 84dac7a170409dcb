"""Tasks as the API takes and shows them."""

from datetime import datetime
from typing import Any, Self
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from app.models import Task, TaskStatus
from app.tasks.registry import TaskDefinition

EXAMPLE_ID = "0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77"


class TaskSubmission(BaseModel):
    """A task to run."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "create_product_from_user", "payload": {"user_id": 1}}]},
    )

    name: str = Field(max_length=255)
    payload: dict[str, Any] = Field(default_factory=dict)


class TaskAccepted(BaseModel):
    """The promise: this task will take effect exactly once."""

    task_id: UUID = Field(examples=[EXAMPLE_ID])
    status: TaskStatus = Field(TaskStatus.QUEUED, examples=["queued"])
    name: str = Field(examples=["create_product_from_user"])


class TasksAccepted(BaseModel):
    """The same promise for several tasks, which were written in one transaction."""

    tasks: list[TaskAccepted] = Field(description="In the order in which they were asked for.")


class TaskView(BaseModel):
    """A task as the ledger has it."""

    task_id: UUID = Field(examples=[EXAMPLE_ID])
    name: str = Field(examples=["create_product_from_user"])
    queue: str = Field(examples=["default"])
    status: TaskStatus = Field(examples=["succeeded"])
    attempts: int = Field(examples=[1])
    max_attempts: int = Field(examples=[4])
    payload: dict[str, Any] = Field(examples=[{"user_id": 1}])
    result: dict[str, Any] | None = Field(examples=[{"product_id": 7}])
    error: str | None = Field(description="The last failure, if there was one.", examples=[None])
    accepted_by: str | None = Field(description="The API replica that accepted it.", examples=["api-1"])
    worker: str | None = Field(description="The worker of the last attempt.", examples=["worker-1"])
    created_at: datetime
    available_at: datetime = Field(description="When the (next) attempt was or is due.")
    started_at: datetime | None = Field(description="When the last attempt began.")
    finished_at: datetime | None
    queue_wait_seconds: float | None = Field(
        description="From due to start, of the last attempt.", examples=[0.004]
    )
    run_seconds: float | None = Field(description="From start to end, of the last attempt.", examples=[0.02])

    @classmethod
    def of(cls, task: Task) -> Self:
        """Build the view of a row."""
        started, finished = task.started_at, task.finished_at
        return cls(
            task_id=UUID(task.id),
            name=task.name,
            queue=task.queue,
            status=task.status,
            attempts=task.attempts,
            max_attempts=task.max_attempts,
            payload=task.payload,
            result=task.result,
            error=task.error,
            accepted_by=task.accepted_by,
            worker=task.worker,
            created_at=task.created_at,
            available_at=task.available_at,
            started_at=started,
            finished_at=finished,
            queue_wait_seconds=_seconds_between(task.available_at, started),
            run_seconds=_seconds_between(started, finished),
        )


class TaskPage(BaseModel):
    """Some tasks, newest first."""

    items: list[TaskView]
    next: UUID | None = Field(description="Pass it as `before` to get the next page; null at the end.")


class TaskKind(BaseModel):
    """A task that can be submitted."""

    name: str = Field(examples=["create_product_from_user"])
    summary: str
    payload_schema: dict[str, Any] = Field(description="JSON Schema of the payload.")

    @classmethod
    def of(cls, definition: TaskDefinition) -> Self:
        """Build the description of a registered task."""
        return cls(
            name=definition.name,
            summary=definition.summary,
            payload_schema=definition.payload.model_json_schema(),
        )


def _seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    if start is None or end is None or end < start:
        return None
    return (end - start).total_seconds()
