"""One program at a time: locks of the primary's own, by name."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, text

LOCK_TIMEOUT_SECONDS = 60


@contextmanager
def alone(connection: Connection, name: str) -> Iterator[None]:
    """Hold a named lock of the server; with the connection the server drops it too.

    Raises:
        TimeoutError: somebody else holds it for too long.
    """
    lock = {"name": name, "timeout": LOCK_TIMEOUT_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :timeout)"), lock) != 1:
        raise TimeoutError(
            f"another migration, or a member of the database that joins, has held the lock {name} "
            f"for {LOCK_TIMEOUT_SECONDS} s; see its log"
        )
    try:
        yield
    finally:
        if not connection.invalidated:
            connection.execute(text("SELECT RELEASE_LOCK(:name)"), lock)
