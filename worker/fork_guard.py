"""Keeps the parent's threads out of the way of a fork."""

import os
import threading
from types import TracebackType


class ForkGuard:
    """A lock that threads hold while they work, and that a fork waits for.

    A lock that another thread holds at the moment of a fork stays locked in the child for ever, be it
    SQLAlchemy's, a client's or a metric's. The pool forks whenever it replaces a process, while threads
    of the parent renew leases: so no fork happens but between their turns. What they do is bounded by
    network time-outs, and so is the wait.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()

    def install(self) -> None:
        """Guard every fork of this process from now on."""
        release = self._lock.release
        os.register_at_fork(before=self._lock.acquire, after_in_parent=release, after_in_child=release)

    def __enter__(self) -> None:
        """Begin a turn; a fork waits for its end."""
        self._lock.acquire()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the turn."""
        self._lock.release()
