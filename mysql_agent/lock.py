"""The lock under which a group is founded, so that two members never do it at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol


class Hold(Protocol):
    """What came of an attempt to take the lock."""

    @property
    def obstacle(self) -> str:
        """Why it is not held, or nothing."""

    def is_safe(self) -> bool:
        """Tell whether it is held, and for long enough to begin what it protects."""


class BootstrapLock(Protocol):
    def attempt(self) -> AbstractContextManager[Hold]:
        """Try to take the lock without waiting; it is kept until the context ends."""


class FileLock:
    """A lock for members on one machine; the kernel frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def attempt(self) -> Iterator[Hold]:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            yield _FileHold(f"it cannot be opened: {error}")
            return
        try:
            yield _FileHold("" if _locked(descriptor) else f"another agent holds {self._path}")
        finally:
            os.close(descriptor)


class _FileHold:
    def __init__(self, obstacle: str) -> None:
        self.obstacle = obstacle

    def is_safe(self) -> bool:
        return not self.obstacle


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
