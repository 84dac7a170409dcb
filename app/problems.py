"""Errors as RFC 9457 problem documents."""

from http import HTTPStatus
from typing import Any

import structlog
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from sqlalchemy.exc import SQLAlchemyError
from starlette.exceptions import HTTPException

from app.database.errors import is_transient

log = structlog.get_logger(__name__)

MEDIA_TYPE = "application/problem+json"
RETRY_AFTER_SECONDS = 5


class Problem(BaseModel):
    """The body of every error."""

    type: str = Field("about:blank", examples=["about:blank"])
    title: str = Field(examples=["Not Found"])
    status: int = Field(examples=[404])
    detail: str = Field(examples=["There is no user 42."])
    instance: str = Field(examples=["/api/users/42"])
    errors: list[dict[str, Any]] | None = Field(None, description="What is wrong where, for invalid input.")


class ProblemError(Exception):
    """An answer other than success, raised by services and told to the client as it is."""

    def __init__(
        self,
        status: HTTPStatus,
        detail: str,
        headers: dict[str, str] | None = None,
        errors: list[dict[str, Any]] | None = None,
    ) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers
        self.errors = errors


def problem_responses(*statuses: HTTPStatus) -> dict[int | str, dict[str, Any]]:
    """Return the OpenAPI responses of the problems that an endpoint can answer with."""
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status.value: {"description": status.phrase, "content": content} for status in statuses}


def respond(
    request: Request,
    status: HTTPStatus,
    detail: str,
    headers: dict[str, str] | None = None,
    errors: list[dict[str, Any]] | None = None,
) -> JSONResponse:
    """Build the response of a problem."""
    problem = Problem(
        title=status.phrase,
        status=status.value,
        detail=detail,
        instance=request.url.path,
        errors=errors,
    )
    return JSONResponse(
        problem.model_dump(exclude_none=True), status.value, headers=headers, media_type=MEDIA_TYPE
    )


def install_problem_handlers(app: FastAPI) -> None:
    """Answer every error of the app with a problem document."""

    @app.exception_handler(ProblemError)
    def _problem(request: Request, error: ProblemError) -> JSONResponse:
        return respond(request, error.status, error.detail, error.headers, error.errors)

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        return respond(request, HTTPStatus(error.status_code), str(error.detail), dict(error.headers or {}))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        errors = [{key: one[key] for key in ("loc", "msg", "type")} for one in error.errors()]
        return respond(
            request, HTTPStatus.UNPROCESSABLE_ENTITY, "The request is invalid; see errors.", errors=errors
        )

    @app.exception_handler(SQLAlchemyError)
    def _database(request: Request, error: SQLAlchemyError) -> JSONResponse:
        if not is_transient(error):
            raise error
        log.warning("database unavailable", path=request.url.path, error=error)
        return respond(
            request,
            HTTPStatus.SERVICE_UNAVAILABLE,
            "The database is not available at the moment. Try again; an Idempotency-Key makes that safe.",
            {"Retry-After": str(RETRY_AFTER_SECONDS)},
        )


def respond_unexpected(request: Request, error: Exception) -> JSONResponse:
    """Log an error that nobody foresaw, and answer without its details."""
    log.error("request failed", path=request.url.path, exc_info=error)
    return respond(request, HTTPStatus.INTERNAL_SERVER_ERROR, "An unexpected error; see the API's log.")
