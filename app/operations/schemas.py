"""The answer for a person on call."""

from datetime import datetime

from pydantic import BaseModel, Field

from app.cluster.schemas import ClusterStatus
from app.tasks.schemas import TaskView


class OutboxStatus(BaseModel):
    """Accepted tasks that are due and in no queue yet."""

    pending: int = Field(examples=[0])
    oldest_age_seconds: float = Field(description="How long the oldest has been due; 0 without one.")


class EndedMinute(BaseModel):
    """How many tasks ended in one minute, by outcome."""

    start: datetime = Field(description="The minute's first second; the last minute is not over.")
    succeeded: int = Field(examples=[42])
    failed: int = Field(description="For good and not replayed since.", examples=[0])
    cancelled: int = Field(examples=[0])


class FailedTasks(BaseModel):
    """Tasks that failed for good and wait for a person."""

    count: int = Field(description="How many there are; counted up to 1,000.", examples=[0])
    newest: list[TaskView] = Field(description="The newest of them.")


class BackupStatus(BaseModel):
    """The last backup."""

    taken_at: datetime | None = Field(description="null if there is none.")
    bytes: int | None = Field(examples=[1_048_576])
    age_seconds: float | None = Field(examples=[3600.0])
    max_age_seconds: int = Field(description="Older is too old; 0 if no backups are expected.")


class OperationsStatus(ClusterStatus):
    """Everything in one answer; what is null or empty is explained in `unknown`."""

    unacknowledged: int | None = Field(description="Messages that workers hold.", examples=[2])
    outbox: OutboxStatus | None
    ended: list[EndedMinute] = Field(description="The last 60 minutes, oldest first.")
    failed: FailedTasks | None
    backup: BackupStatus | None
