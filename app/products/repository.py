"""SQL of products."""

from collections.abc import Sequence
from typing import Any, cast

from sqlalchemy import CursorResult, Table, insert, select
from sqlalchemy.orm import Session

from app.models import Product

# To a session's unit of work the same row costs seven times as much, more than all the rest of a short task.
INSERT = insert(cast("Table", Product.__table__))
WRITTEN = ("user_id", "task_id", "name", "description", "price", "quantity", "category")


class ProductRepository:
    """Products, in either kind of session."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def get(self, product_id: int) -> Product | None:
        """Return a product."""
        return self._session.get(Product, product_id)

    def list(self, user_id: int | None, before: int | None, limit: int) -> Sequence[Product]:
        """Return products, newest first."""
        query = select(Product).order_by(Product.id.desc()).limit(limit)
        if user_id is not None:
            query = query.where(Product.user_id == user_id)
        if before is not None:
            query = query.where(Product.id < before)
        return self._session.scalars(query).all()

    def add(self, product: Product) -> None:
        """Insert the row now; the unique task id refuses a second product of one task."""
        result = self._session.execute(INSERT, {name: getattr(product, name) for name in WRITTEN})
        product.id = cast("CursorResult[Any]", result).lastrowid
