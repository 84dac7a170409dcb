"""Around the dashboard's answers: their security headers, and problems as HTML instead of JSON."""

from fastapi import Request
from fastapi.responses import HTMLResponse
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.dashboard.pages import Pages, is_htmx
from app.dashboard.problem_words import ProblemWords
from app.problems import MEDIA_TYPE, Problem

SECURITY_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: browsers would then send `Origin: null` with forms.
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "HX-Request",
}


class DashboardResponses:
    """Plain ASGI and outermost, so that it sees the answers to errors that nobody foresaw, too."""

    def __init__(self, app: ASGIApp, pages: Pages) -> None:
        self._app = app
        self._pages = pages

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one connection."""
        if scope["type"] != "http" or not belongs_to_dashboard(scope["path"]):
            await self._app(scope, receive, send)
            return
        start: Message | None = None
        body = b""

        async def send_as_html(message: Message) -> None:
            nonlocal start, body
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(SECURITY_HEADERS)
                if MutableHeaders(scope=message).get("content-type") == MEDIA_TYPE:
                    start = message
                    return
            if start is None:
                await send(message)
                return
            body += message.get("body", b"")
            if not message.get("more_body", False):
                await self._send_problem(Request(scope), start, body, send)

        await self._app(scope, receive, send_as_html)

    async def _send_problem(self, request: Request, start: Message, body: bytes, send: Send) -> None:
        words = ProblemWords.of(Problem.model_validate_json(body), request.method)
        headers = MutableHeaders(scope=start)
        template = "_problem.html" if is_htmx(request) else "problem.html"
        if is_htmx(request):
            # Never into the place that asked: it would lose its contents and stop asking.
            headers["HX-Retarget"] = "#connection" if request.method == "GET" else "#notice"
            headers["HX-Reswap"] = "innerHTML"
        request_id = headers.get("x-request-id", "unknown")
        page = HTMLResponse(
            self._pages.render(template, problem=words, request_id=request_id, database_role=None)
        )
        headers["Content-Type"] = page.headers["content-type"]
        headers["Content-Length"] = page.headers["content-length"]
        await send(start)
        await send({"type": "http.response.body", "body": page.body})


def belongs_to_dashboard(path: str) -> bool:
    """Tell the dashboard's pages from the API and its documentation."""
    return path == "/" or path.startswith("/ui/")
