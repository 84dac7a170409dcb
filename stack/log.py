"""The one log of the stack: every line under its part's name, bounded in size."""

import re
import threading
import time
from collections import deque
from pathlib import Path

MAX_BYTES = 20_000_000
TAIL_LINES = 2000
COLOURS = (36, 33, 32, 35, 34, 96, 93, 92, 95, 94)
ESCAPES = re.compile(r"\x1b\[[0-9;]*m")


class Log:
    """Appends to a file, keeps one older file beside it, and remembers each part's last lines."""

    def __init__(self, path: Path, max_bytes: int = MAX_BYTES) -> None:
        self.path = path
        self._max_bytes = max_bytes
        self._lock = threading.Lock()
        self._tails: dict[str, deque[str]] = {}
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, name: str, line: str) -> None:
        text = line.rstrip("\r\n")
        stamp = time.strftime("%H:%M:%S")
        with self._lock:
            self._tails.setdefault(name, deque(maxlen=TAIL_LINES)).append(text)
            if self._file.closed:
                return
            self._file.write(f"{stamp} {name:<12} | {text}\n")
            if self._file.tell() > self._max_bytes:
                self._rotate()

    def tail(self, name: str, lines: int) -> list[str]:
        with self._lock:
            return list(self._tails.get(name, ()))[-lines:]

    def close(self) -> None:
        with self._lock:
            self._file.close()

    def _rotate(self) -> None:
        self._file.close()
        self.path.replace(self.path.with_name(f"{self.path.name}.1"))
        self._file = self.path.open("a", encoding="utf-8", buffering=1)


def coloured(line: str) -> str:
    """Colour the prefix of a line of the log; each name always has the same colour."""
    prefix, bar, text = line.partition(" | ")
    if not bar:
        return line
    name = prefix[9:].strip()
    colour = COLOURS[sum(name.encode()) % len(COLOURS)]
    return f"\x1b[{colour}m{prefix} |\x1b[0m {text}"


def plain(line: str) -> str:
    return ESCAPES.sub("", line)


def name_of(line: str) -> str:
    """Return the part that wrote a line of the log."""
    return line.partition(" | ")[0][9:].strip()
