"""The log of requests as the API shows it."""

from datetime import datetime
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class RequestView(BaseModel):
    """An answered request, or a finished task (`server_id` celery-worker)."""

    model_config = ConfigDict(from_attributes=True)

    id: int
    server_id: str = Field(examples=["api-1"])
    task_id: UUID | None
    method: str = Field(examples=["POST"])
    path: str = Field(examples=["/api/users/1/create-product"])
    status_code: int = Field(examples=[202])
    duration_ms: float = Field(examples=[7.4])
    request_id: str | None
    timestamp: datetime


class RequestPage(BaseModel):
    """Some rows, newest first."""

    items: list[RequestView]
    next: int | None = Field(description="Pass it as `before` to get the next page; null at the end.")
