"""Everything works as plain forms and pages, too."""

import pytest
from playwright.sync_api import Page, expect

from tests.ui.dashboard import ENDS_WITHIN_MS, press, task_rows
from tests.ui.window import OpenPage


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    return open_page(java_script_enabled=False)


def expect_success(page: Page) -> None:
    """The task's page reloads itself until the task has succeeded."""
    expect(page.get_by_role("list", name="This task")).to_contain_text("Succeeded", timeout=ENDS_WITHIN_MS)


def test_test_worker_leads_to_the_page_of_its_task(page: Page) -> None:
    press(page, "Test Worker")
    expect(page.get_by_role("heading", level=1, name="Test worker connection")).to_be_visible()
    expect_success(page)


def test_worker_status_is_a_page(page: Page) -> None:
    press(page, "Worker Status")
    expect(page.get_by_role("heading", level=1, name="Worker Status")).to_be_visible()
    expect(page.get_by_role("region", name="Workers, table")).to_contain_text("worker-2")


def test_a_created_product_is_in_the_table_after_the_way_back(page: Page) -> None:
    page.get_by_label("A worker makes a product for").select_option(label="Katherine Johnson")
    press(page, "Create Product for User")
    expect_success(page)
    page.get_by_role("link", name="Back to the dashboard").click()
    products = page.get_by_role("region", name="Newest products, table")
    expect(products.get_by_role("row").nth(1)).to_contain_text("Product for Katherine Johnson")
    expect(task_rows(page).first).to_contain_text("Product for Katherine Johnson")
