"""The pictures of the documentation are taken from the running dashboard."""

import os
from pathlib import Path
from typing import Literal

import httpx2 as httpx
import pytest
from playwright.sync_api import expect

from tests.stack.api_client import end_of
from tests.ui.window import OpenPage

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH, HEIGHT, SCALE = 1280, 1352, 2
PNG_SIZE = slice(16, 24)
SHOWN: tuple[tuple[str, dict[str, int]], ...] = (
    ("create_product_from_user", {"user_id": 2**40}),
    ("create_product_from_user", {"user_id": 2}),
    ("create_product_from_user", {"user_id": 3}),
    ("test_worker_connection", {}),
    ("create_product_from_user", {"user_id": 1}),
)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_dashboard_looks_as_in_its_picture(
    open_page: OpenPage, api: httpx.Client, scheme: Literal["light", "dark"]
) -> None:
    for name, payload in SHOWN:
        end_of(api, api.post("/api/tasks", json={"name": name, "payload": payload}).headers["Location"])
    page = open_page(
        color_scheme=scheme, viewport={"width": WIDTH, "height": HEIGHT}, device_scale_factor=SCALE
    )
    path = page.get_by_role("list", name="The path of a task")
    for replica in ("api-1", "api-2", "api-3"):
        expect(path).to_contain_text(replica, timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything works", timeout=30_000)
    image = page.screenshot(animations="disabled")
    picture = IMAGES / f"dashboard-{scheme}.png"
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(image)
    # width and height of a PNG stand at the same place in every file
    assert picture.read_bytes()[PNG_SIZE] == image[PNG_SIZE], "take new pictures: UPDATE_SCREENSHOTS=1"
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH
