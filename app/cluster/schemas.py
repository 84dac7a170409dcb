"""The state of the system as the API shows it."""

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field


class RunningTask(BaseModel):
    """A task that a worker is running."""

    task_id: str
    name: str
    seconds: float


class WorkerStatus(BaseModel):
    """A worker that gave a sign of life in the last minutes."""

    name: str = Field(examples=["worker-1"])
    alive: bool
    heartbeat_age_seconds: float = Field(examples=[0.8])
    concurrency: int = Field(examples=[2])
    queues: list[str] = Field(examples=[["default"]])
    running: list[RunningTask]


class QueueStatus(BaseModel):
    """A queue in Redis."""

    name: str = Field(examples=["default"])
    depth: int = Field(examples=[0])
    oldest_age_seconds: float | None = Field(description="Age of the message that is next; null if empty.")


class RedisStatus(BaseModel):
    """The queue's server."""

    up: bool
    round_trip_ms: float | None = Field(examples=[0.4])
    error: str | None = None


class MemberStatus(BaseModel):
    """One MySQL member."""

    model_config = ConfigDict(from_attributes=True)

    address: str = Field(examples=["mysql-0:3306"])
    state: str = Field(
        description="As MySQL says it; MISSING: configured, and not in the group.", examples=["ONLINE"]
    )
    role: str = Field(examples=["PRIMARY"])
    lag_transactions: int = Field(examples=[0])


class MySQLStatus(BaseModel):
    """The database."""

    up: bool
    members: list[MemberStatus]
    error: str | None = None


class ClusterStatus(BaseModel):
    """Everything in one answer."""

    status: Literal["ok", "degraded"]
    problems: list[str] = Field(description="What is wrong, in words; empty if ok.")
    workers: list[WorkerStatus]
    queues: list[QueueStatus]
    redis: RedisStatus
    mysql: MySQLStatus
    unknown: dict[str, str] = Field(
        description="Parts of this answer that could not be found out, and why; empty if all of it is known.",
        examples=[{}],
    )
