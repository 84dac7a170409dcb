"""Tables: users and products, the ledger of tasks, the logs of requests and of backups."""

import enum
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import (
    CHAR,
    JSON,
    BigInteger,
    Dialect,
    Enum,
    ForeignKey,
    Index,
    MetaData,
    Numeric,
    SmallInteger,
    String,
    Text,
    TypeDecorator,
    text,
)
from sqlalchemy.dialects.mysql import DATETIME
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

NOW = text("CURRENT_TIMESTAMP(6)")
TaskId = CHAR(36, collation="ascii_bin")


class Timestamp(TypeDecorator[datetime]):
    """A point in time in UTC: connections run with `time_zone = '+00:00'`, Python sees aware values."""

    impl = DATETIME(fsp=6)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        del dialect
        return value.replace(tzinfo=UTC) if value else None


class Base(DeclarativeBase):
    """Constraint names are fixed by convention, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class TaskStatus(enum.StrEnum):
    """Where a task is in its life; the last three are final."""

    QUEUED = "queued"
    RUNNING = "running"
    RETRYING = "retrying"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        return self in FINAL_STATUSES


FINAL_STATUSES = frozenset({TaskStatus.SUCCEEDED, TaskStatus.FAILED, TaskStatus.CANCELLED})


class User(Base):
    __tablename__ = "users"

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    email: Mapped[str] = mapped_column(String(255), unique=True)
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)


class Product(Base):
    """A product; `task_id` is unique, so a task can make at most one."""

    __tablename__ = "products"
    __table_args__ = (Index(None, "user_id", "id"), Index(None, "created_at"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("users.id"))
    task_id: Mapped[str | None] = mapped_column(TaskId, unique=True)
    name: Mapped[str] = mapped_column(String(255))
    description: Mapped[str] = mapped_column(Text)
    price: Mapped[Decimal] = mapped_column(Numeric(10, 2))
    quantity: Mapped[int]
    category: Mapped[str] = mapped_column(String(50))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)


class Task(Base):
    """The ledger: one row per accepted task, written before the client hears `202`."""

    __tablename__ = "tasks"
    __table_args__ = (
        # the relay finds what to publish at its left end, however many published tasks wait
        Index(None, "status", "published_at", "available_at", "queue"),
        Index(None, "status", "lease_until"),
        Index(None, "status", "id"),
    )

    id: Mapped[str] = mapped_column(TaskId, primary_key=True)
    name: Mapped[str] = mapped_column(String(255))
    queue: Mapped[str] = mapped_column(String(100))
    payload: Mapped[dict[str, Any]] = mapped_column(JSON)
    status: Mapped[TaskStatus] = mapped_column(
        Enum(TaskStatus, values_callable=lambda kinds: [kind.value for kind in kinds])
    )
    attempts: Mapped[int] = mapped_column(SmallInteger, server_default=text("0"))
    max_attempts: Mapped[int] = mapped_column(SmallInteger)
    retry_delay_seconds: Mapped[float]
    accepted_by: Mapped[str | None] = mapped_column(String(255))
    request_id: Mapped[str | None] = mapped_column(String(64))
    # of the request that it was accepted in, where that was traced: a message sent again continues its trace
    traceparent: Mapped[str | None] = mapped_column(CHAR(55, collation="ascii_bin"))
    idempotency_key: Mapped[str | None] = mapped_column(String(255, collation="utf8mb4_bin"), unique=True)
    fingerprint: Mapped[str | None] = mapped_column(CHAR(64, collation="ascii_bin"))
    created_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    available_at: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)
    published_at: Mapped[datetime | None] = mapped_column(Timestamp)
    started_at: Mapped[datetime | None] = mapped_column(Timestamp)
    finished_at: Mapped[datetime | None] = mapped_column(Timestamp)
    lease_owner: Mapped[str | None] = mapped_column(String(255))
    lease_until: Mapped[datetime | None] = mapped_column(Timestamp)
    worker: Mapped[str | None] = mapped_column(String(255))
    result: Mapped[dict[str, Any] | None] = mapped_column(JSON(none_as_null=True))
    error: Mapped[str | None] = mapped_column(Text)


class RequestLog(Base):
    """One row per request an API replica answered and per task a worker finished."""

    __tablename__ = "requests"
    __table_args__ = (Index(None, "server_id", "timestamp"), Index(None, "timestamp"))

    id: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    server_id: Mapped[str] = mapped_column(String(255))
    task_id: Mapped[str | None] = mapped_column(TaskId, unique=True)
    method: Mapped[str] = mapped_column(String(10))
    path: Mapped[str] = mapped_column(String(255))
    status_code: Mapped[int] = mapped_column(SmallInteger)
    duration_ms: Mapped[float]
    request_id: Mapped[str | None] = mapped_column(String(64))
    timestamp: Mapped[datetime] = mapped_column(Timestamp, server_default=NOW)


class Backup(Base):
    """A dump of this database that was made, checked and kept; whoever made it writes the row."""

    __tablename__ = "backups"

    name: Mapped[str] = mapped_column(String(100), primary_key=True)
    taken_at: Mapped[datetime] = mapped_column(Timestamp)
    bytes: Mapped[int] = mapped_column(BigInteger)
