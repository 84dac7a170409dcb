"""What goes wrong is said in words, with what to do."""

from typing import TYPE_CHECKING

import httpx2 as httpx
from playwright.sync_api import Page, Route, expect

from tests.stack.api_client import end_of
from tests.stack.parts import held_down
from tests.ui.dashboard import (
    ENDS_WITHIN_MS,
    expect_one_more_row,
    expect_status,
    newest_row,
    press,
    row_of,
    task_rows,
)

if TYPE_CHECKING:
    from stack.supervisor import Stack
    from tests.ui.window import Console, OpenPage

WORKERS = ("worker-1", "worker-2")
NOBODY = 2**40


def queue_one(page: Page) -> None:
    before = task_rows(page).count()
    press(page, "Test Worker")
    expect_one_more_row(page, before)


def failed_task(api: httpx.Client) -> str:
    """Make a task that fails for good: its user does not exist."""
    answer = api.post("/api/tasks", json={"name": "create_product_from_user", "payload": {"user_id": NOBODY}})
    assert end_of(api, answer.headers["Location"])["status"] == "failed"
    return str(answer.json()["task_id"])


def test_without_workers_a_row_says_for_how_long_nobody_has_answered(page: Page, stack: "Stack") -> None:
    with held_down(stack, *WORKERS):
        queue_one(page)
        row = newest_row(page)
        expect(row).to_contain_text("Queued")
        expect(row).to_contain_text("No worker has answered for 1", timeout=ENDS_WITHIN_MS)
        expect(page.get_by_role("heading", level=1)).to_have_text("Degraded", timeout=ENDS_WITHIN_MS)
        expect(page.get_by_role("list", name="The path of a task")).to_contain_text("silent for")
    expect(row).to_contain_text("Succeeded", timeout=60_000)
    expect(page.get_by_role("heading", level=1)).to_have_text("Everything works", timeout=60_000)


def test_a_queued_task_can_be_cancelled(page: Page, stack: "Stack") -> None:
    with held_down(stack, *WORKERS):
        queue_one(page)
        row = newest_row(page)
        row.get_by_role("button", name="Cancel").click()
        expect(row).to_contain_text("Cancelled: it has no effect.")
        expect(row.get_by_role("button")).to_have_count(0)


def test_a_failed_task_shows_its_error_and_can_be_replayed(open_page: "OpenPage", api: httpx.Client) -> None:
    task_id = failed_task(api)
    failed_before = api.get(f"/api/tasks/{task_id}").json()["finished_at"]
    page = open_page()
    row = row_of(page, task_id)
    expect(row).to_contain_text(f"there is no user {NOBODY}")
    with page.expect_response("**/replay") as answered:
        row.get_by_role("button", name="Replay").click()
    assert "Queued" in answered.value.text()
    expect_status(row, "Failed")
    assert end_of(api, f"/api/tasks/{task_id}")["finished_at"] > failed_before


def test_without_javascript_a_failed_task_can_be_replayed(open_page: "OpenPage", api: httpx.Client) -> None:
    task_id = failed_task(api)
    page = open_page(f"/ui/tasks/{task_id}", java_script_enabled=False)
    page.get_by_role("button", name="Replay").click()
    expect(page.get_by_role("list", name="This task")).to_contain_text("Failed", timeout=ENDS_WITHIN_MS)
    assert end_of(api, f"/api/tasks/{task_id}")["status"] == "failed"


def test_a_lost_network_is_said_and_forgotten_when_it_is_back(page: Page, console: "Console") -> None:
    alert = page.get_by_role("alert").filter(has_text="No connection to Conveyor")
    page.context.set_offline(True)
    expect(alert).to_be_visible()
    page.context.set_offline(False)
    expect(alert).to_have_count(0)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    console.errors.clear()


def test_a_press_whose_answer_was_lost_can_be_repeated_and_makes_one_task(
    page: Page, console: "Console", api: httpx.Client
) -> None:
    def lose_answer(route: Route) -> None:
        route.fetch()
        route.abort()

    before = task_rows(page).count()
    known = {task["task_id"] for task in api.get("/api/tasks").json()["items"]}
    page.route("**/ui/test-worker", lose_answer, times=1)
    press(page, "Test Worker")
    expect(page.get_by_role("alert").filter(has_text="No connection to Conveyor")).to_have_count(1)
    press(page, "Test Worker")
    expect_one_more_row(page, before)
    assert len({task["task_id"] for task in api.get("/api/tasks").json()["items"]} - known) == 1
    console.errors.clear()


def test_a_proxy_without_servers_does_not_wipe_the_page(page: Page, console: "Console") -> None:
    page.route(
        "**/ui/fragments/status*",
        lambda route: route.fulfill(
            status=503, content_type="text/html", body="<h1>No server is available</h1>"
        ),
        times=1,
    )
    expect(page.get_by_role("alert").filter(has_text="No connection to Conveyor")).to_be_visible()
    expect(page.get_by_role("list", name="The path of a task")).to_be_visible()
    console.errors.clear()


def test_an_unknown_user_is_refused_with_what_to_do(page: Page, console: "Console") -> None:
    users = page.get_by_label("A worker makes a product for")
    users.evaluate(f"select => {{ select.options[0].value = {NOBODY} }}")
    press(page, "Create Product for User")
    expect(page.get_by_role("alert").filter(has_text=f"There is no user {NOBODY}")).to_be_visible()
    assert "404" in console.errors.pop()
