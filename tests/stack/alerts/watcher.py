"""What Prometheus says is firing, noted down from beginning to end."""

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import httpx2 as httpx

POLL_SECONDS = 0.3


@dataclass(frozen=True)
class Firing:
    """An alert as Alertmanager would hear of it."""

    name: str
    labels: Mapping[str, str]
    description: str

    def is_about(self, labels: Mapping[str, str]) -> bool:
        return labels.items() <= self.labels.items()

    def __str__(self) -> str:
        return f"{self.name} {dict(self.labels)}: {self.description}"


class Watcher(threading.Thread):
    """Asks again and again, also while Prometheus itself is started anew."""

    def __init__(self, port: int) -> None:
        super().__init__(name="watcher", daemon=True)
        self._url = f"http://127.0.0.1:{port}/api/v1/alerts"
        self._stopping = threading.Event()
        self._seen: list[Firing] = []
        self.now: list[Firing] | None = None  # not known

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self.join(10)

    def run(self) -> None:
        while not self._stopping.wait(POLL_SECONDS):
            try:
                alerts = httpx.get(self._url, timeout=5).json()["data"]["alerts"]
            except (httpx.HTTPError, ValueError, KeyError):
                self.now = None
                continue
            self.now = [_read(alert) for alert in alerts if alert["state"] == "firing"]
            self._seen += [firing for firing in self.now if firing not in self._seen]

    def forget(self) -> None:
        """Begin anew: what fires on will be seen again."""
        self._seen = []

    def seen(self, name: str, labels: Mapping[str, str]) -> Firing | None:
        """Return an alert of this name about this, fired since `forget`."""
        return next((one for one in self._seen if one.name == name and one.is_about(labels)), None)

    def all_seen(self) -> str:
        return "\n".join(sorted(map(str, self._seen))) or "(nothing)"


def _read(alert: Mapping[str, Any]) -> Firing:
    labels = {name: value for name, value in alert["labels"].items() if name != "alertname"}
    return Firing(alert["labels"]["alertname"], labels, alert["annotations"]["description"])
