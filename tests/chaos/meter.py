"""Counters of processes that die: asked often, so that little of what they counted is lost with them."""

import threading
import time
import urllib.request
from collections.abc import Iterable, Mapping

from prometheus_client.parser import text_string_to_metric_families

POLL_SECONDS = 0.5
TIMEOUT_SECONDS = 2
# what a relay counts when it publishes a message once more
REPUBLISHED = "tasks_republished_total"


def parse(text: str, name: str) -> float:
    """Return the sum of a counter over its labels."""
    families = text_string_to_metric_families(text)
    return sum(sample.value for family in families for sample in family.samples if sample.name == name)


def increment(before: float, now: float) -> float:
    """Return what came on top; a counter that went down belongs to a new process."""
    return now - before if now >= before else now


class Meter(threading.Thread):
    """Follows one counter of several processes."""

    def __init__(self, ports: Mapping[str, int], name: str = REPUBLISHED) -> None:
        super().__init__(name="meter", daemon=True)
        self._ports = ports
        self._counter = name
        self._last: dict[str, float] = {}
        self._stopping = threading.Event()
        self.increments: list[tuple[float, float]] = []

    def run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            for name, port in self._ports.items():
                self._look(name, port)

    def stop(self) -> None:
        self._stopping.set()
        self.join(10)

    def between(self, begin: float, end: float) -> int:
        return round(total(self.increments, begin, end))

    def _look(self, name: str, port: int) -> None:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}/metrics", timeout=TIMEOUT_SECONDS
            ) as answer:
                now = parse(answer.read().decode(), self._counter)
        except (OSError, ValueError):
            return
        grown = increment(self._last.get(name, 0.0), now)
        self._last[name] = now
        if grown:
            self.increments.append((time.time(), grown))


def total(increments: Iterable[tuple[float, float]], begin: float, end: float) -> float:
    return sum(grown for at, grown in increments if begin <= at <= end)
