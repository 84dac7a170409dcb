"""/api/users."""

from http import HTTPStatus

from fastapi import APIRouter, Response

from app.dependencies import Reads, Writes
from app.models import User
from app.pagination import AfterId, Limit, cut
from app.problems import problem_responses
from app.retry import ReadRetryRoute
from app.tasks.acceptance import Accept
from app.tasks.schemas import TaskAccepted, TasksAccepted
from app.users.repository import UserRepository
from app.users.schemas import NewUser, ProductsToCreate, UserId, UserPage, UserView
from app.users.service import create_user, find_user

router = APIRouter(prefix="/api/users", tags=["users"], route_class=ReadRetryRoute)

CREATE_PRODUCT = "create_product_from_user"


@router.get("")
def list_users(reads: Reads, after: AfterId = 0, limit: Limit = 50) -> UserPage:
    """List users in their order of arrival."""
    page, last = cut(UserRepository(reads).list(after, limit + 1), limit)
    return UserPage(items=[UserView.model_validate(user) for user in page], next=last.id if last else None)


@router.post(
    "",
    status_code=HTTPStatus.CREATED,
    response_model=UserView,
    responses=problem_responses(HTTPStatus.CONFLICT, HTTPStatus.SERVICE_UNAVAILABLE),
)
def add_user(new: NewUser, writes: Writes, response: Response) -> User:
    """Create a user."""
    user = create_user(writes, new)
    response.headers["Location"] = f"{router.prefix}/{user.id}"
    return user


@router.get("/{user_id}", response_model=UserView, responses=problem_responses(HTTPStatus.NOT_FOUND))
def show_user(user_id: UserId, reads: Reads, writes: Writes) -> User:
    """Show a user."""
    return find_user(reads, writes, user_id)


@router.post(
    "/{user_id}/create-product",
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def create_product(user_id: UserId, acceptance: Accept) -> TaskAccepted:
    """Accept the creation of a product for a user."""
    return await acceptance.accept(CREATE_PRODUCT, {"user_id": user_id}, user_ids=[user_id])


@router.post(
    "/create-products",
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(HTTPStatus.NOT_FOUND, HTTPStatus.SERVICE_UNAVAILABLE),
)
async def create_products(wanted: ProductsToCreate, acceptance: Accept) -> TasksAccepted:
    """Accept the creation of up to 1,000 products in one transaction: all of them, or none."""
    payloads = [{"user_id": user_id} for user_id in wanted.user_ids]
    return await acceptance.accept_all(CREATE_PRODUCT, payloads, user_ids=wanted.user_ids)
