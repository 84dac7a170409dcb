"""What the commands show: coloured where a terminal reads it, plain elsewhere."""

import os
import re
import sys
from collections.abc import Sequence

GREEN, YELLOW, RED, DIM, BOLD = 32, 33, 31, 2, 1


def has_colour() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")


def paint(text: str, code: int) -> str:
    return f"\x1b[{code}m{text}\x1b[0m" if has_colour() else text


def table(rows: Sequence[Sequence[str]]) -> str:
    """Align columns; the first row is the head."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows
    ]
    return "\n".join([paint(lines[0], BOLD), *lines[1:]])


class Progress:
    """One line that changes in a terminal; elsewhere a line per kind of message, without the counting."""

    def __init__(self) -> None:
        self._last = ""

    def __call__(self, message: str) -> None:
        if sys.stdout.isatty():
            print(f"\r\x1b[K{message}", end="", flush=True)
        elif (kind := re.sub(r"\d+", "", message)) != self._last:
            self._last = kind
            print(message, flush=True)

    def clear(self) -> None:
        if sys.stdout.isatty():
            print("\r\x1b[K", end="", flush=True)
