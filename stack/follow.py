"""The log as people read it: the last lines, then what comes."""

import sys
import time
from collections import deque
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from stack.log import coloured, name_of, plain
from stack.terminal import has_colour

POLL_SECONDS = 0.2


def show_log(path: Path, parts: set[str] | None, lines: int, *, follow: bool) -> int:
    if not path.exists():
        print(f"there is no log at {path} yet; start with `make up`")
        return 1
    with path.open(encoding="utf-8", errors="replace") as file:
        wanted = (line for line in file if parts is None or name_of(line) in parts)
        for line in deque(wanted, maxlen=lines):
            _show(line)
        if follow:
            for line in _coming(path, file):
                if parts is None or name_of(line) in parts:
                    _show(line)
    return 0


def _coming(path: Path, file: IO[str]) -> Iterator[str]:
    """Yield lines as they are written, over into the next file when the log is rotated."""
    partial = ""
    while True:
        partial += file.readline()
        if partial.endswith("\n"):
            yield partial
            partial = ""
        elif not partial and path.exists() and path.stat().st_ino != _inode(file):
            file = path.open(encoding="utf-8", errors="replace")
        else:
            time.sleep(POLL_SECONDS)


def _inode(file: IO[str]) -> int:
    return Path(f"/proc/self/fd/{file.fileno()}").stat().st_ino


def _show(line: str) -> None:
    text = line.rstrip("\n")
    print(coloured(text) if has_colour() else plain(text), flush=True)
    sys.stdout.flush()
