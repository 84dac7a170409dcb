"""Tasks that make products."""

import random
from datetime import UTC, datetime
from decimal import Decimal

from pydantic import BaseModel, Field

from app.database.sessions import WriteSession
from app.models import Product, User
from app.products.repository import ProductRepository
from app.tasks.context import PermanentTaskError, TaskContext
from app.tasks.registry import task
from app.users.repository import UserRepository

CATEGORIES = ("Books", "Clothing", "Electronics", "Garden", "Home", "Sports", "Toys")
PRICE_CENTS = (10_00, 1000_00)
QUANTITIES = (1, 100)


class UserReference(BaseModel):
    """The user whom the product is made for."""

    user_id: int = Field(ge=1, examples=[1])


class CreatedProduct(BaseModel):
    """The product that the task made."""

    product_id: int
    name: str
    price: Decimal
    quantity: int
    category: str


@task("create_product_from_user", batch_size=100)
def create_product_from_user(
    session: WriteSession, payload: UserReference, context: TaskContext
) -> CreatedProduct:
    """Make a product for a user, with random price, quantity and category."""
    user = UserRepository(session).get(payload.user_id)
    if user is None:
        raise PermanentTaskError(f"there is no user {payload.user_id}")
    product = draft_product(user, context.task_id, random.SystemRandom(), datetime.now(UTC))
    ProductRepository(session).add(product)
    return CreatedProduct(
        product_id=product.id,
        name=product.name,
        price=product.price,
        quantity=product.quantity,
        category=product.category,
    )


def draft_product(user: User, task_id: str, chance: random.Random, now: datetime) -> Product:
    """Return the product of a user; the unique task id is what makes it the only one."""
    return Product(
        user_id=user.id,
        task_id=task_id,
        name=f"Product for {user.name}",
        description=f"Made for {user.name} <{user.email}> (user {user.id}) at {now:%Y-%m-%d %H:%M:%S} UTC",
        price=Decimal(chance.randint(*PRICE_CENTS)) / 100,
        quantity=chance.randint(*QUANTITIES),
        category=chance.choice(CATEGORIES),
    )
