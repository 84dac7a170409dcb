"""Users as the API takes and shows them."""

from datetime import datetime
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

UserId = Annotated[int, Field(ge=1, le=2**63 - 1)]
EMAIL_PATTERN = r"^[^@\s]+@[^@\s]+$"


class NewUser(BaseModel):
    """A user to create."""

    model_config = ConfigDict(
        extra="forbid",
        str_strip_whitespace=True,
        json_schema_extra={"examples": [{"name": "Grace Hopper", "email": "grace@example.com"}]},
    )

    name: str = Field(min_length=1, max_length=100)
    email: str = Field(pattern=EMAIL_PATTERN, max_length=255)


class ProductsToCreate(BaseModel):
    """For whom products are to be created; a user may be named more than once."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"user_ids": [1, 2, 2]}]})

    user_ids: list[UserId] = Field(min_length=1, max_length=1000)


class UserView(BaseModel):
    """A user."""

    model_config = ConfigDict(from_attributes=True)

    id: int = Field(examples=[1])
    name: str = Field(examples=["Ada Lovelace"])
    email: str = Field(examples=["ada@example.com"])
    created_at: datetime


class UserPage(BaseModel):
    """Some users, in their order of arrival."""

    items: list[UserView]
    next: int | None = Field(description="Pass it as `after` to get the next page; null at the end.")
