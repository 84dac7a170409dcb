"""The dashboard as a person finds their way on it: by roles and labels."""

from playwright.sync_api import Locator, Page, expect

ENDS_WITHIN_MS = 30_000


def press(page: Page, name: str) -> None:
    """Press one of the three buttons."""
    page.get_by_role("button", name=name, exact=True).click()


def task_rows(page: Page) -> Locator:
    """Return the rows of the list of tasks; each shows an id."""
    rows = page.get_by_role("list", name="Tasks").get_by_role("listitem")
    return rows.filter(has=page.get_by_role("code"))


def row_of(page: Page, task_id: str) -> Locator:
    """Return one task's row, whatever arrives above it."""
    return task_rows(page).filter(has_text=task_id)


def newest_row(page: Page) -> Locator:
    """Return the row on top, and keep pointing at its task."""
    top = task_rows(page).first
    return row_of(page, top.get_by_role("code").inner_text())


def expect_status(row: Locator, word: str) -> None:
    """Wait for a task's status."""
    expect(row).to_contain_text(word, timeout=ENDS_WITHIN_MS)


def expect_one_more_row(page: Page, before: int) -> None:
    """Wait for the row of an accepted task."""
    expect(task_rows(page).nth(before)).to_be_visible()
