"""Keyset pagination: the last id of a page is where the next one begins."""

from collections.abc import Sequence
from typing import Annotated, TypeVar

from fastapi import Query

Row = TypeVar("Row")

Limit = Annotated[int, Query(ge=1, le=200, description="Most items on a page.")]
AfterId = Annotated[int, Query(ge=0, description="Show what comes after this id.")]
BeforeId = Annotated[int | None, Query(ge=1, description="Show what comes before this id.")]


def cut(rows: Sequence[Row], limit: int) -> tuple[Sequence[Row], Row | None]:
    """Split `limit + 1` fetched rows into a page and its last row, which is None if no more follow."""
    if len(rows) <= limit:
        return rows, None
    page = rows[:limit]
    return page, page[-1]
