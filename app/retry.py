"""Reads survive the loss of the member that was answering them."""

from collections.abc import Callable, Coroutine
from typing import Any

from fastapi import Request, Response
from fastapi.routing import APIRoute
from sqlalchemy.exc import SQLAlchemyError

from app.database.errors import is_unavailable


class ReadRetryRoute(APIRoute):
    """Runs a GET a second time, on another member, if the database was lost in the middle of it."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wrap the endpoint's handler."""
        handle = super().get_route_handler()

        async def handle_twice(request: Request) -> Response:
            try:
                return await handle(request)
            except SQLAlchemyError as error:
                if request.method != "GET" or not is_unavailable(error):
                    raise
                return await handle(request)

        return handle_twice
