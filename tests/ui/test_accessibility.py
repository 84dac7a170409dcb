"""Usable by keyboard alone, readable in both colour schemes, and on a narrow screen."""

from typing import Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.ui.dashboard import expect_one_more_row, expect_status, newest_row, press, task_rows
from tests.ui.window import Console, OpenPage

MOST_TABS = 40
SCHEMES: tuple[Literal["light", "dark"], ...] = ("light", "dark")


def tab_to(page: Page, role: Literal["button", "combobox", "link"], name: str) -> None:
    """Press Tab until the wanted element has the focus."""
    wanted = page.get_by_role(role, name=name, exact=True)
    for _ in range(MOST_TABS):
        page.keyboard.press("Tab")
        if wanted.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{MOST_TABS} presses of Tab did not lead to {role} {name!r}")


def violations(page: Page) -> str:
    results = Axe().run(page)
    return str(results.generate_report()) if results.violations_count else ""


def test_the_first_tab_offers_to_skip_to_the_content(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to the content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()


def test_all_three_buttons_can_be_used_by_keyboard_alone(page: Page) -> None:
    before = task_rows(page).count()
    tab_to(page, "button", "Test Worker")
    page.keyboard.press("Enter")
    expect_one_more_row(page, before)
    expect(page.get_by_role("button", name="Test Worker", exact=True)).to_be_focused()
    tab_to(page, "button", "Worker Status")
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="Workers, table")).to_be_visible()
    tab_to(page, "combobox", "A worker makes a product for")
    page.keyboard.press("ArrowDown")
    tab_to(page, "button", "Create Product for User")
    page.keyboard.press("Space")
    expect_one_more_row(page, before + 1)
    expect_status(newest_row(page), "Succeeded")


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_dashboard_breaks_no_rule_of_axe(open_page: OpenPage, scheme: Literal["light", "dark"]) -> None:
    page = open_page(color_scheme=scheme)
    before = task_rows(page).count()
    press(page, "Test Worker")
    expect_one_more_row(page, before)
    press(page, "Worker Status")
    expect(page.get_by_role("region", name="Workers, table")).to_be_visible()
    expect_status(newest_row(page), "Succeeded")
    assert violations(page) == ""
    page.get_by_role("link", name="Test worker connection").first.click()
    expect(page.get_by_role("heading", name="Ledger entry")).to_be_visible()
    assert violations(page) == ""


@pytest.mark.parametrize("scheme", SCHEMES)
def test_a_problem_breaks_no_rule_of_axe(
    open_page: OpenPage, console: Console, scheme: Literal["light", "dark"]
) -> None:
    page = open_page("/ui/tasks/0197f3a2-6b1c-7c3e-9a55-2f1d0c9b8a77", color_scheme=scheme)
    expect(page.get_by_role("heading", level=1, name="Not found")).to_be_visible()
    assert violations(page) == ""
    assert "404" in console.errors.pop()


@pytest.mark.parametrize("path", ["/", "/ui/worker-status"])
def test_a_narrow_screen_scrolls_in_one_direction_only(open_page: OpenPage, path: str) -> None:
    page = open_page(path, viewport={"width": 360, "height": 740})
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
