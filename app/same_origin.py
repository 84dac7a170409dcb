"""Only our own pages, and clients that are no browsers, may change anything."""

from http import HTTPStatus
from urllib.parse import urlsplit

from fastapi import Request

from app.problems import ProblemError

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


def is_same_origin(fetch_site: str | None, origin: str | None, host: str | None) -> bool:
    """Tell whether a request came from our own page or from no page at all.

    Browsers send Sec-Fetch-Site over https and to localhost, and Origin with every POST;
    what sends neither is not a browser and carries nobody's cookies.
    """
    if fetch_site:
        return fetch_site in ("same-origin", "none")
    if origin:
        return host is not None and urlsplit(origin).netloc == host
    return True


async def require_same_origin(request: Request) -> None:
    """Refuse what another site's page sends.

    Raises:
        ProblemError: the request comes from elsewhere.
    """
    headers = request.headers
    if request.method in SAFE_METHODS:
        return
    if not is_same_origin(headers.get("sec-fetch-site"), headers.get("origin"), headers.get("host")):
        raise ProblemError(
            HTTPStatus.FORBIDDEN,
            "This request comes from another site's page: only Conveyor's own pages may send it.",
        )
