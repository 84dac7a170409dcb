"""Which API replicas have answered this browser lately; the browser carries the list in its polls."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.models import RequestLog
from app.requests.repository import WORKER_SERVER_ID

FORGET_SECONDS = 20
MOST_REMEMBERED = 12
ENTRY = re.compile(r"^([\w.-]{1,80}):(\d{1,12})$")


@dataclass(frozen=True)
class SeenReplica:
    """A replica, and whether it gave the answer being read."""

    name: str
    answered_now: bool


def read_seen(text: str, now: float) -> dict[str, int]:
    """Read `name:time,name:time` as the browser brings it; what is malformed or old is left out."""
    entries = (ENTRY.match(part) for part in text.split(",")[:MOST_REMEMBERED])
    seen = {entry[1]: int(entry[2]) for entry in entries if entry}
    return {name: moment for name, moment in seen.items() if 0 <= now - moment <= FORGET_SECONDS}


def write_seen(seen: Mapping[str, int]) -> str:
    """Write the list as the browser shall bring it back."""
    return ",".join(f"{name}:{moment}" for name, moment in seen.items())


def seen_in_log(rows: Iterable[RequestLog], now: float) -> dict[str, int]:
    """Return the replicas that have answered anybody lately: where a fresh page begins."""
    answered = (row for row in rows if row.server_id != WORKER_SERVER_ID)
    latest: dict[str, int] = {}
    for row in answered:
        moment = int(row.timestamp.timestamp())
        latest[row.server_id] = max(moment, latest.get(row.server_id, 0))
    return {name: moment for name, moment in latest.items() if now - moment <= FORGET_SECONDS}


def add_seen(seen: Mapping[str, int], served_by: str, now: float) -> dict[str, int]:
    """Return the list with the replica that is answering now."""
    return {**seen, served_by: int(now)}


def as_replicas(seen: Mapping[str, int], served_by: str) -> list[SeenReplica]:
    """Return the replicas by name."""
    return [SeenReplica(name, name == served_by) for name in sorted(seen)]
