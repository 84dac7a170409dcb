"""The pictures of the documentation are taken from the running dashboard."""

import os
import re
from pathlib import Path
from typing import Literal

import httpx2 as httpx
import pytest
from playwright.sync_api import Page, expect

from tests.stack.api_client import end_of
from tests.ui.test_accessibility import SCHEMES
from tests.ui.window import OpenPage

IMAGES = Path(__file__).resolve().parents[2] / "docs" / "images"
WIDTH, SCALE = 1280, 2
OVERVIEW_HEIGHT, OPERATIONS_HEIGHT = 1352, 1600
PNG_SIZE = slice(16, 24)
SHOWN: tuple[tuple[str, dict[str, int]], ...] = (
    ("create_product_from_user", {"user_id": 2**40}),
    ("create_product_from_user", {"user_id": 2}),
    ("create_product_from_user", {"user_id": 3}),
    ("test_worker_connection", {}),
    ("create_product_from_user", {"user_id": 1}),
)
Scheme = Literal["light", "dark"]


@pytest.fixture(autouse=True)
def worked(api: httpx.Client) -> None:
    for name, payload in SHOWN:
        end_of(api, api.post("/api/tasks", json={"name": name, "payload": payload}).headers["Location"])


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_dashboard_looks_as_in_its_picture(open_page: OpenPage, scheme: Scheme) -> None:
    page = opened(open_page, "/", OVERVIEW_HEIGHT, scheme)
    path = page.get_by_role("list", name="The path of a task")
    for replica in ("api-1", "api-2", "api-3"):
        expect(path).to_contain_text(replica, timeout=30_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything works", timeout=30_000)
    compare(page, f"dashboard-{scheme}.png")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_operations_page_looks_as_in_its_picture(open_page: OpenPage, scheme: Scheme) -> None:
    page = opened(open_page, "/ui/operations", OPERATIONS_HEIGHT, scheme)
    expect(page.get_by_role("list", name=re.compile("^Failed tasks"))).to_be_visible(timeout=30_000)
    compare(page, f"operations-{scheme}.png")


def opened(open_page: OpenPage, path: str, height: int, scheme: Scheme) -> Page:
    viewport = {"width": WIDTH, "height": height}
    return open_page(path, color_scheme=scheme, viewport=viewport, device_scale_factor=SCALE)


def compare(page: Page, name: str) -> None:
    image = page.screenshot(animations="disabled")
    picture = IMAGES / name
    if os.environ.get("UPDATE_SCREENSHOTS") == "1":
        picture.parent.mkdir(parents=True, exist_ok=True)
        picture.write_bytes(image)
    # width and height of a PNG stand at the same place in every file
    assert picture.read_bytes()[PNG_SIZE] == image[PNG_SIZE], "take new pictures: UPDATE_SCREENSHOTS=1"
    assert page.evaluate("document.documentElement.scrollWidth") == WIDTH
