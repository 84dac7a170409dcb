"""The products that the task makes."""

import random
from datetime import UTC, datetime
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from app.models import User
from worker.tasks.products import CATEGORIES, draft_product


@given(st.integers(min_value=0))
def test_a_product_is_within_its_limits(seed: int) -> None:
    user = User(id=7, name="Ada Lovelace", email="ada@example.com")

    chance = random.Random(seed)  # noqa: S311 - draws samples
    product = draft_product(user, "task-1", chance, datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC))

    assert product.name == "Product for Ada Lovelace"
    assert (
        product.description == "Made for Ada Lovelace <ada@example.com> (user 7) at 2026-01-02 03:04:05 UTC"
    )
    assert Decimal("10.00") <= product.price <= Decimal("1000.00")
    assert product.price == product.price.quantize(Decimal("0.01"))
    assert 1 <= product.quantity <= 100
    assert product.category in CATEGORIES
    assert (product.user_id, product.task_id) == (7, "task-1")
