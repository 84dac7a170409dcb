"""/api/products."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Path, Query

from app.dependencies import Reads
from app.models import Product
from app.pagination import BeforeId, Limit, cut
from app.problems import ProblemError, problem_responses
from app.products.repository import ProductRepository
from app.products.schemas import ProductPage, ProductView
from app.retry import ReadRetryRoute

router = APIRouter(prefix="/api/products", tags=["products"], route_class=ReadRetryRoute)


@router.get("")
def list_products(
    reads: Reads,
    user_id: Annotated[int | None, Query(ge=1, description="Only this user's.")] = None,
    before: BeforeId = None,
    limit: Limit = 50,
) -> ProductPage:
    """List products, newest first."""
    page, last = cut(ProductRepository(reads).list(user_id, before, limit + 1), limit)
    return ProductPage(
        items=[ProductView.model_validate(row) for row in page], next=last.id if last else None
    )


@router.get("/{product_id}", response_model=ProductView, responses=problem_responses(HTTPStatus.NOT_FOUND))
def show_product(product_id: Annotated[int, Path(ge=1, le=2**63 - 1)], reads: Reads) -> Product:
    """Show a product."""
    product = ProductRepository(reads).get(product_id)
    if product is None:
        raise ProblemError(HTTPStatus.NOT_FOUND, f"There is no product {product_id}.")
    return product
