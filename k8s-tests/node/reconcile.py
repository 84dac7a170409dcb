"""A loop that acts on what the API server lists, at every change and now and then without one."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from node.api import ApiClient, ApiError

WATCH_SECONDS = 60
LOOK_SECONDS = 5.0
RETRY_SECONDS = 0.5
# changes come in bursts
SETTLE_SECONDS = 0.05

Resource = Mapping[str, Any]
Listed = tuple[tuple[Resource, ...], ...]


def reconcile(
    api: ApiClient,
    paths: Sequence[str],
    act: Callable[[Listed], None],
    expected: tuple[type[Exception], ...],
) -> None:
    """Call `act` for ever with the objects at each of the paths; after an expected error, try again."""
    changed = threading.Event()
    for path in paths:
        threading.Thread(target=_watch, args=(api, path, changed), daemon=True).start()
    passing: tuple[type[Exception], ...] = (ApiError, *expected)
    while True:
        changed.clear()
        try:
            act(tuple(tuple(api.read(f"{path}?resourceVersion=0").get("items") or ()) for path in paths))
        except passing as error:
            print(f"trying again: {error}", flush=True)
            time.sleep(RETRY_SECONDS)
        else:
            changed.wait(LOOK_SECONDS)
            time.sleep(SETTLE_SECONDS)


def _watch(api: ApiClient, path: str, changed: threading.Event) -> None:
    """Wake the loop at every event; what changed is read anew, so a missed event costs only time."""
    while True:
        try:
            for _ in api.events(path, WATCH_SECONDS):
                changed.set()
        except ApiError as error:
            print(error, flush=True)
            time.sleep(RETRY_SECONDS)
