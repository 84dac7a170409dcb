"""The lock under which a group is founded, so that two members never do it at once."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol


class BootstrapLock(Protocol):
    def attempt(self) -> AbstractContextManager[bool]:
        """Try to take the lock without waiting; the context says whether it is held."""


class FileLock:
    """A lock for members on one machine; the kernel frees it when the process dies."""

    def __init__(self, path: Path) -> None:
        self._path = path

    @contextmanager
    def attempt(self) -> Iterator[bool]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            yield _locked(descriptor)
        finally:
            os.close(descriptor)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
