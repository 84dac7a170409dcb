"""Debian's Chromium before the whole stack; whatever a page reports on its console fails the test."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, sync_playwright

from stack.supervisor import Stack
from tests.stack.conftest import (  # noqa: F401 - fixtures and a hook of the other tier
    _everything_recovers,
    api,
    pytest_runtest_makereport,
    stack,
)
from tests.ui.window import Console, OpenPage

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SLOWEST_ANSWER_MS = 15_000
REPORT_VIOLATIONS = """
document.addEventListener("securitypolicyviolation",
  event => console.error("CSP violation:", event.violatedDirective, event.blockedURI));
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.ui)
            # the first test also waits for everything to start, and each one for what it broke
            item.add_marker(pytest.mark.timeout(300))


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    program = next(filter(None, map(shutil.which, CHROMIUM)), None)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=ARGUMENTS)
        yield browser
        browser.close()


@pytest.fixture
def console() -> Iterator[Console]:
    console = Console()
    yield console
    assert console.errors == []


@pytest.fixture
def open_page(browser: Browser, stack: Stack, console: Console) -> Iterator[OpenPage]:  # noqa: F811 - the fixture
    """Return a function that opens a path in a browser window of its own."""
    contexts: list[BrowserContext] = []

    def open_page(path: str = "/", **options: object) -> Page:
        context = browser.new_context(base_url=stack.url, **options)  # type: ignore[arg-type] # as they come
        contexts.append(context)
        context.set_default_timeout(SLOWEST_ANSWER_MS)
        context.add_init_script(REPORT_VIOLATIONS)
        page = context.new_page()
        console.listen(page)
        page.goto(path)
        return page

    yield open_page
    for context in contexts:
        context.close()


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Return the dashboard as a visitor first sees it."""
    return open_page()
