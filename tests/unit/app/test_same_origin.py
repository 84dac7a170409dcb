"""Only our own pages may press the buttons."""

import pytest

from app.same_origin import is_same_origin

HOST = "localhost:8090"


@pytest.mark.parametrize(
    ("fetch_site", "origin", "allowed"),
    [
        ("same-origin", "http://localhost:8090", True),
        ("none", None, True),
        ("cross-site", "http://evil.example", False),
        ("same-site", "http://localhost:3000", False),
        (None, "http://localhost:8090", True),
        (None, "http://localhost:3000", False),
        (None, "null", False),
        (None, None, True),
    ],
)
def test_a_request_must_come_from_our_own_page_or_from_none(
    fetch_site: str | None, origin: str | None, *, allowed: bool
) -> None:
    assert is_same_origin(fetch_site, origin, HOST) is allowed
