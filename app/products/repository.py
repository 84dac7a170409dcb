"""SQL of products."""

from collections.abc import Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.models import Product


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
        self._session.add(product)
        self._session.flush()
