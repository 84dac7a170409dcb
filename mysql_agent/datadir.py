"""A data directory's life: empty, half-made or complete, and never cleared once it was complete."""

import fcntl
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from pathlib import Path

MARKER = "conveyor-initialized"
_BEGUN = b"initialisation has begun\n"


class Condition(StrEnum):
    EMPTY = "empty"
    HALF_MADE = "half-made"
    COMPLETE = "complete"
    FOREIGN = "foreign"


class DataDirectory:
    """The directory, its marker inside (written last) and the file beside it that says who is at work."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._marker = path / MARKER
        self._work = beside(path, "initializing")

    @contextmanager
    def exclusive(self, timeout_seconds: float) -> Iterator[int]:
        """Hold the lock on the work file; a child that inherits the descriptor holds it too."""
        self._work.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._work, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            _lock(descriptor, timeout_seconds, self._work)
            yield descriptor
            if self._marker.exists():
                self._work.unlink()
        finally:
            os.close(descriptor)

    def condition(self) -> Condition:
        if self._marker.exists():
            return Condition.COMPLETE
        if not self._entries():
            return Condition.EMPTY
        return Condition.HALF_MADE if self._has_begun() else Condition.FOREIGN

    def clear(self) -> None:
        """Empty the directory; the directory itself may be a mount point and stays."""
        if self.condition() is not Condition.HALF_MADE:
            raise ValueError(f"{self.path} is {self.condition()} and must not be cleared")
        for entry in self._entries():
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry)
            else:
                entry.unlink()

    def begin(self) -> None:
        self._work.write_bytes(_BEGUN)
        self.path.mkdir(mode=0o700, exist_ok=True)

    def finish(self) -> None:
        self.path.chmod(0o700)
        with self._marker.open("w") as file:
            file.write("complete: never cleared by an initialisation again\n")
            file.flush()
            os.fsync(file.fileno())
        _sync_directory(self.path)

    def _has_begun(self) -> bool:
        return self._work.exists() and self._work.read_bytes() == _BEGUN

    def _entries(self) -> list[Path]:
        if not self.path.exists():
            return []
        return [entry for entry in self.path.iterdir() if entry.name != "lost+found"]


def beside(datadir: Path, suffix: str) -> Path:
    return datadir.with_name(f"{datadir.name}.{suffix}")


def _lock(descriptor: int, timeout_seconds: float, path: Path) -> None:
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                raise TimeoutError(
                    f"another initialisation still holds {path} after {timeout_seconds:g} s"
                ) from None
            time.sleep(0.1)
        else:
            return


def _sync_directory(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
