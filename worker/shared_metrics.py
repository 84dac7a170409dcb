"""Metrics of several processes as one: each has a file, the parent serves their sum."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billiard.process import current_process
from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

PREFIX = "conveyor-metrics-"
TRIES = 5


def process_slot() -> str:
    """Name this process's place in the pool.

    A successor takes the place of a dead process and goes on with its file, so that there are never
    more files than places, however many processes come and go.
    """
    return str(getattr(current_process(), "index", "parent"))


@contextmanager
def shared_metrics(parent: Path | None = None) -> Iterator[CollectorRegistry]:
    """Let every metric made from now on be shared with the pool; yields the registry of their sums."""
    parent = parent or Path(tempfile.gettempdir())
    _remove_abandoned(parent)
    with _owned_directory(parent) as directory:
        # The library reads the folder from here, in this process and in its forks.
        os.environ["PROMETHEUS_MULTIPROC_DIR"] = str(directory)
        single, values.ValueClass = values.ValueClass, _shared_value()
        registry = CollectorRegistry()
        MultiProcessCollector(registry, path=str(directory))  # type: ignore[no-untyped-call] # it registers itself
        try:
            yield registry
        finally:
            values.ValueClass = single
            del os.environ["PROMETHEUS_MULTIPROC_DIR"]


def _shared_value() -> type[values.MutexValue]:
    made: type[values.MutexValue] = values.MultiProcessValue(process_slot)  # type: ignore[no-untyped-call] # as above
    return made


@contextmanager
def _owned_directory(parent: Path) -> Iterator[Path]:
    """Make a folder whose lock says that it is in use.

    The kernel lets go of the lock when the last of the worker's processes is dead. A process id would
    not do: it means nothing to a worker of another container that shares the folder above.
    """
    for _ in range(TRIES):
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=parent))
        descriptor = _lock(directory)
        if descriptor is not None:
            break
    else:
        raise RuntimeError(f"new folders in {parent} are removed at once: set TMPDIR to another one")
    try:
        yield directory
    finally:
        shutil.rmtree(directory, ignore_errors=True)
        os.close(descriptor)


def _lock(directory: Path) -> int | None:
    """Lock a new folder; None if another worker's start has taken it for abandoned before."""
    try:
        descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    except FileNotFoundError:
        return None
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    if directory.is_dir():
        return descriptor
    os.close(descriptor)
    return None


def _remove_abandoned(parent: Path) -> None:
    for directory in parent.glob(f"{PREFIX}*"):
        try:
            descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
        except OSError:  # removed meanwhile, or another user's
            continue
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(directory, ignore_errors=True)
        except BlockingIOError:
            pass
        finally:
            os.close(descriptor)
