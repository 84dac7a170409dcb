"""The three buttons, from the press to the result."""

import re

from playwright.sync_api import Page, Route, expect

from tests.ui.dashboard import expect_one_more_row, expect_status, newest_row, press, task_rows


def press_and_follow(page: Page, name: str) -> str:
    """Press a button, wait until its task has succeeded, and return what the row says."""
    before = task_rows(page).count()
    press(page, name)
    expect_one_more_row(page, before)
    row = newest_row(page)
    expect_status(row, "Succeeded")
    return row.inner_text()


def test_test_worker_tells_who_reached_what(page: Page) -> None:
    said = press_and_follow(page, "Test Worker")
    assert re.search(r"worker-\d reached the primary database in [\d.]+ ms and Redis in [\d.]+ ms", said)
    assert re.search(r"Accepted by\s+api-\d", said)
    assert re.search(r"Read from\s+(replica|primary)", said)


def test_worker_status_tells_of_every_worker(page: Page) -> None:
    press(page, "Worker Status")
    table = page.get_by_role("region", name="Workers, table")
    for worker in ("worker-1", "worker-2"):
        expect(table.get_by_role("row").filter(has_text=worker)).to_contain_text("Alive")


def test_a_created_product_appears_in_the_table(page: Page) -> None:
    page.get_by_label("A worker makes a product for").select_option(label="Grace Hopper")
    said = press_and_follow(page, "Create Product for User")
    price = re.search(r"Product for Grace Hopper: price ([\d.]+),", said)
    assert price
    table = page.get_by_role("region", name="Newest products, table")
    made = table.get_by_role("row").filter(has_text="Product for Grace Hopper").filter(has_text=price[1])
    expect(made).to_be_visible()


def test_a_row_shows_the_queued_task_at_once(page: Page) -> None:
    with page.expect_response("**/ui/test-worker") as answered:
        press(page, "Test Worker")
    assert "Queued" in answered.value.text()
    assert 'hx-trigger="every 500ms"' in answered.value.text()


def test_each_press_is_a_task_of_its_own(page: Page) -> None:
    before = task_rows(page).count()
    press(page, "Test Worker")
    expect_one_more_row(page, before)
    press(page, "Test Worker")
    expect_one_more_row(page, before + 1)


def test_a_button_cannot_be_pressed_twice_during_its_request(page: Page) -> None:
    button = page.get_by_role("button", name="Test Worker", exact=True)
    seen: list[bool] = []

    def look(route: Route) -> None:
        seen.append(button.is_disabled())
        route.continue_()

    page.route("**/ui/test-worker", look)
    before = task_rows(page).count()
    button.click()
    expect_one_more_row(page, before)
    assert seen == [True]
    expect(button).to_be_enabled()


def test_a_row_that_has_ended_asks_no_more(page: Page) -> None:
    press_and_follow(page, "Test Worker")
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.wait_for_timeout(3000)
    assert [url for url in asked if "/ui/fragments/tasks/" in url] == []
    assert any("/ui/fragments/status" in url for url in asked)


def test_the_path_of_a_task_is_shown_with_its_state(page: Page) -> None:
    path = page.get_by_role("list", name="The path of a task")
    for station in ("API", "Queue", "Workers", "MySQL"):
        expect(path.get_by_role("heading", name=station)).to_be_visible()
    expect(path).to_contain_text("2 of 2 alive")
    expect(path).to_contain_text("primary")
    expect(path).to_contain_text("replica, lag")


def test_the_page_gets_to_know_every_api_replica(page: Page) -> None:
    path = page.get_by_role("list", name="The path of a task")
    for replica in ("api-1", "api-2", "api-3"):
        expect(path).to_contain_text(replica, timeout=30_000)


def test_a_task_has_a_page_with_its_ledger_entry(page: Page) -> None:
    press_and_follow(page, "Test Worker")
    task_rows(page).first.get_by_role("link", name="Test worker connection").click()
    expect(page.get_by_role("heading", level=1, name="Test worker connection")).to_be_visible()
    expect(page.get_by_role("link", name="The same as JSON")).to_be_visible()
    expect(page.get_by_role("main")).to_contain_text("1 of 1")
