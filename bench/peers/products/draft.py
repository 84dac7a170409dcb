"""The one row that every task makes; the same work for all."""

import random
from datetime import UTC, datetime

from settings import TABLE

CATEGORIES = ("Books", "Clothing", "Electronics", "Garden", "Home", "Sports", "Toys")
READ_USER = "SELECT name, email FROM users WHERE id = %s"
INSERT_PRODUCT = (
    f"INSERT INTO {TABLE} (user_id, task_id, name, description, price, quantity, category) "
    "VALUES (%s, %s, %s, %s, %s, %s, %s)"
)


def product(user_id: int, name: str, email: str, task_id: str) -> tuple[object, ...]:
    """Return the values of `INSERT_PRODUCT`."""
    now = datetime.now(UTC)
    return (
        user_id,
        task_id,
        f"Product for {name}",
        f"Made for {name} <{email}> (user {user_id}) at {now:%Y-%m-%d %H:%M:%S} UTC",
        random.randint(10_00, 1000_00) / 100,
        random.randint(1, 100),
        random.choice(CATEGORIES),
    )
