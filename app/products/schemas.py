"""Products as the API shows them."""

from datetime import datetime
from decimal import Decimal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field


class ProductView(BaseModel):
    """A product and the task that made it."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[7])
    user_id: int = Field(examples=[1])
    task_id: UUID | None
    name: str = Field(examples=["Product for Ada Lovelace"])
    description: str
    price: Decimal = Field(examples=["42.50"])
    quantity: int = Field(examples=[12])
    category: str = Field(examples=["Books"])
    created_at: datetime


class ProductPage(BaseModel):
    """Some products, newest first."""

    items: list[ProductView]
    next: int | None = Field(description="Pass it as `before` to get the next page; null at the end.")
