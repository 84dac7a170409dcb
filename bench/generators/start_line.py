"""How a generator and the process that started it agree on the moment to begin."""

import json
import sys
from collections.abc import Mapping

READY = "ready"


def wait_for_start() -> None:
    """Say that everything is loaded and connected, and wait for a line."""
    print(READY, flush=True)
    if not sys.stdin.readline():
        raise SystemExit("the process that started this one has gone")


def hand_over(result: Mapping[str, object]) -> None:
    print(json.dumps(result))
