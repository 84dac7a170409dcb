"""The page for a person on call: what is wrong, and the cure that it offers."""

import re
from typing import TYPE_CHECKING, Literal

import httpx2 as httpx
import pytest
from playwright.sync_api import Dialog, Locator, Page, expect

from tests.stack.api_client import end_of, new_user
from tests.stack.members import replicas
from tests.stack.parts import held_down
from tests.ui.dashboard import ENDS_WITHIN_MS
from tests.ui.test_accessibility import SCHEMES, violations

if TYPE_CHECKING:
    from stack.supervisor import Stack
    from tests.ui.window import OpenPage

PAGE = "/ui/operations"
RENEWED_WITHIN_MS = 15_000


@pytest.fixture
def page(open_page: "OpenPage") -> Page:
    return open_page(PAGE)


def heading(page: Page) -> Locator:
    return page.get_by_role("heading", level=1)


def failed_row(page: Page, task_id: str) -> Locator:
    rows = page.get_by_role("list", name=re.compile("^Failed tasks")).get_by_role("listitem")
    return rows.filter(has_text=task_id)


def replayed_row(page: Page, task_id: str) -> Locator:
    return (
        page.get_by_role("list", name="Replayed from here").get_by_role("listitem").filter(has_text=task_id)
    )


def task_for_a_user_to_come(api: httpx.Client) -> tuple[str, int]:
    """Make a task that fails as long as its user does not exist."""
    user_id = new_user(api) + 1
    answer = api.post("/api/tasks", json={"name": "greet_user", "payload": {"user_id": user_id}})
    assert end_of(api, answer.headers["Location"])["status"] == "failed"
    return str(answer.json()["task_id"]), user_id


def answer_with_yes(page: Page) -> list[str]:
    """Answer the page's next question; returns what it asks."""
    questions: list[str] = []

    def answer(dialog: Dialog) -> None:
        questions.append(dialog.message)
        dialog.accept()

    page.once("dialog", answer)
    return questions


def test_a_failed_task_is_replayed_from_the_page_and_seen_to_succeed(
    open_page: "OpenPage", api: httpx.Client
) -> None:
    task_id, user_id = task_for_a_user_to_come(api)
    page = open_page(PAGE)
    row = failed_row(page, task_id)
    expect(row).to_contain_text(f"there is no user {user_id}")
    assert new_user(api) == user_id
    questions = answer_with_yes(page)
    row.get_by_role("button", name="Replay").click()
    expect(replayed_row(page, task_id)).to_contain_text("Succeeded", timeout=ENDS_WITHIN_MS)
    expect(replayed_row(page, task_id)).to_contain_text("Hello, Ada!")
    expect(row).to_have_count(0)
    assert questions == ["Replay this task? It runs again with all its attempts."]


def test_a_question_that_is_answered_with_no_replays_nothing(
    open_page: "OpenPage", api: httpx.Client
) -> None:
    task_id, _ = task_for_a_user_to_come(api)
    page = open_page(PAGE)
    page.once("dialog", lambda dialog: dialog.dismiss())
    failed_row(page, task_id).get_by_role("button", name="Replay").click()
    expect(failed_row(page, task_id)).to_be_visible()
    assert api.get(f"/api/tasks/{task_id}").json()["attempts"] == 1


def test_all_that_are_shown_are_replayed_by_one_button(open_page: "OpenPage", api: httpx.Client) -> None:
    tasks = [task_for_a_user_to_come(api)[0] for _ in range(2)]
    page = open_page(PAGE)
    answer_with_yes(page)
    page.get_by_role("button", name=re.compile(r"^Replay these \d+$")).click()
    for task_id in tasks:
        expect(replayed_row(page, task_id)).to_be_visible()
    expect(page.get_by_role("heading", name="Replayed from here")).to_be_focused()


def test_the_page_renews_itself_and_leaves_the_keyboard_where_it_is(page: Page) -> None:
    table = page.get_by_role("region", name="Members of the database, table")
    table.focus()
    moment = page.locator("#figures-title time")
    before = moment.inner_text()
    expect(moment).not_to_have_text(before, timeout=RENEWED_WITHIN_MS)
    expect(table).to_be_focused()


def ended(page: Page) -> int:
    said = re.search(r"^([\d,]+) ended", page.locator("#throughput-words").inner_text())
    return int(said[1].replace(",", "")) if said else 0


def test_the_picture_of_what_ended_moves(page: Page, api: httpx.Client) -> None:
    picture = page.get_by_role("img", name=re.compile("ended"))
    before = ended(page)
    for _ in range(3):
        end_of(api, api.post("/api/worker/test").headers["Location"])
    expect(page.locator("#throughput-words")).to_contain_text(
        f"{before + 3:,} ended", timeout=RENEWED_WITHIN_MS
    )
    expect(picture).to_be_visible()
    assert picture.locator("rect.succeeded").count() >= 1
    assert picture.locator("g").count() == 60


def test_a_lost_member_is_named_with_what_it_means(page: Page, stack: "Stack") -> None:
    lost = replicas(stack)[0]
    with held_down(stack, lost):
        address = f"127.0.0.1:{stack.ports[lost]}"
        table = page.get_by_role("region", name="Members of the database, table")
        row = table.get_by_role("row").filter(has_text=address)
        expect(row).to_contain_text("Lost: it is not in the group", timeout=90_000)
        expect(heading(page)).to_have_text("Degraded")
        expect(page.get_by_role("main")).to_contain_text(f"{address} is lost")


def test_what_redis_would_tell_is_said_to_be_unknown(page: Page, stack: "Stack") -> None:
    with held_down(stack, "redis"):
        queues = page.get_by_role("region", name="Queues", exact=True)
        expect(queues).to_contain_text("Redis does not answer", timeout=RENEWED_WITHIN_MS)
        expect(page.get_by_role("region", name="Workers", exact=True)).to_contain_text(
            "Who is alive is not known."
        )
        expect(heading(page)).to_have_text("Degraded")
    expect(page.get_by_role("region", name="Queues, table")).to_be_visible(timeout=90_000)


def test_without_javascript_it_can_be_read_and_a_task_replayed(
    open_page: "OpenPage", api: httpx.Client
) -> None:
    task_id, _ = task_for_a_user_to_come(api)
    page = open_page(PAGE, java_script_enabled=False)
    expect(heading(page)).to_be_visible()
    failed_row(page, task_id).get_by_role("button", name="Replay").click()
    expect(replayed_row(page, task_id)).to_be_visible()
    page.get_by_role("link", name="ask again").click()
    expect(heading(page)).to_be_visible()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_breaks_no_rule_of_axe(
    open_page: "OpenPage", api: httpx.Client, scheme: Literal["light", "dark"]
) -> None:
    task_for_a_user_to_come(api)
    page = open_page(PAGE, color_scheme=scheme)
    answer_with_yes(page)
    page.get_by_role("button", name="Replay Greet user").first.click()
    expect(page.get_by_role("list", name="Replayed from here")).to_contain_text(
        "Failed", timeout=ENDS_WITHIN_MS
    )
    task_for_a_user_to_come(api)
    expect(page.get_by_role("list", name=re.compile("^Failed tasks"))).to_be_visible(
        timeout=RENEWED_WITHIN_MS
    )
    assert violations(page) == ""


def test_a_narrow_screen_scrolls_in_one_direction_only(open_page: "OpenPage", api: httpx.Client) -> None:
    task_for_a_user_to_come(api)
    page = open_page(PAGE, viewport={"width": 360, "height": 740})
    expect(heading(page)).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
