"""A browser window of a test, and what its console must not report."""

from collections.abc import Callable

from playwright.sync_api import ConsoleMessage, Page

OpenPage = Callable[..., Page]


class Console:
    """What pages reported; a test that provokes an error takes it out."""

    def __init__(self) -> None:
        self.errors: list[str] = []

    def listen(self, page: Page) -> None:
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.errors.append(str(error)))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.errors.append(f"{message.text} ({message.location})")
