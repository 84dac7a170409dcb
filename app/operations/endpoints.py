"""/api/operations."""

from fastapi import APIRouter

from app.dependencies import Context
from app.operations.schemas import OperationsStatus

router = APIRouter(prefix="/api/operations", tags=["operations"])


@router.get("")
def show_operations(context: Context) -> OperationsStatus:
    """Show what is wrong, what waits and since when, what ended, what failed, and the last backup."""
    return context.operations.status()
