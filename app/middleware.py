"""Around every request: its id, who served it, its metrics, its log line and its row in `requests`."""

import time
from datetime import UTC, datetime
from http import HTTPStatus
from uuid import uuid4

import structlog
from fastapi import Request
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.context import ApiContext
from app.correlation import REQUEST_ID, TRACE_ID, harmless
from app.database import causality
from app.problems import respond, respond_unexpected

log = structlog.get_logger(__name__)

# Asked every second by probes, scrapers and browsers; a row each would bury the rest.
UNRECORDED = ("/healthz", "/readyz", "/metrics", "/static/", "/ui/fragments/", "/favicon.ico")
PATH_LENGTH = 255
# A client may make up any other one, and each would be a series of its own for ever.
METHODS = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


class RequestMiddleware:
    """Plain ASGI, because it must see streaming responses and errors as well."""

    def __init__(self, app: ASGIApp, context: ApiContext) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        exchange = _Exchange(scope, self._context)
        ids = {REQUEST_ID: exchange.request_id, TRACE_ID: self._context.tracing.trace_id()}
        tokens = structlog.contextvars.bind_contextvars(**{name: id_ for name, id_ in ids.items() if id_})

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                exchange.respond(message)
            await send(message)

        with self._context.metrics.in_flight.track_inprogress():
            try:
                if exchange.is_too_large:
                    await self._refuse(scope, receive, send_with_headers)
                else:
                    await self._app(scope, receive, send_with_headers)
            except Exception as error:
                if exchange.status:
                    raise
                response = respond_unexpected(Request(scope), error)
                await response(scope, receive, send_with_headers)
            finally:
                exchange.finish()
                structlog.contextvars.reset_contextvars(**tokens)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send) -> None:
        detail = f"The body is larger than {self._context.settings.max_body_bytes} bytes (MAX_BODY_BYTES)."
        response = respond(Request(scope), HTTPStatus.REQUEST_ENTITY_TOO_LARGE, detail)
        await response(scope, receive, send)


class _Exchange:
    """One request and what became of it."""

    def __init__(self, scope: Scope, context: ApiContext) -> None:
        self._scope = scope
        self._context = context
        self._state = scope.setdefault("state", {})
        self._started = time.perf_counter()
        self._arrived = datetime.now(UTC)
        headers = Headers(scope=scope)
        length, given = headers.get("content-length", ""), headers.get("x-request-id", "")
        self.is_too_large = length.isdigit() and int(length) > context.settings.max_body_bytes
        self.request_id = harmless(given) or uuid4().hex
        self._state["request_id"] = self.request_id
        self.status = 0

    def respond(self, message: Message) -> None:
        """Add the headers that every response carries."""
        self.status = message["status"]
        headers = MutableHeaders(scope=message)
        headers["X-Request-ID"] = self.request_id
        headers["X-Served-By"] = self._context.settings.replica_name
        if role := self._state.get("database_role"):
            headers["X-Database-Role"] = role
        if position := self._state.get("causality_position"):
            token = self._context.tokens.issue(position)
            headers[causality.HEADER] = token
            headers.append("Set-Cookie", causality.cookie(token))

    def finish(self) -> None:
        """Count, log and record the request."""
        seconds = time.perf_counter() - self._started
        method, path = self._scope["method"], self._scope["path"]
        route = getattr(self._scope.get("route"), "path", "unmatched")
        metrics = self._context.metrics
        known = method if method in METHODS else "other"
        metrics.requests.labels(known, route, str(self.status)).inc()
        metrics.duration.labels(known, route).observe(seconds)
        if path.startswith(UNRECORDED):
            return
        milliseconds = round(seconds * 1000, 3)
        log.info("request", method=method, path=path, status=self.status, duration_ms=milliseconds)
        self._context.recorder.record(
            {
                "server_id": self._context.settings.replica_name,
                "method": method,
                "path": path[:PATH_LENGTH],
                "status_code": self.status,
                "duration_ms": milliseconds,
                "request_id": self.request_id,
                "timestamp": self._arrived,
            }
        )
