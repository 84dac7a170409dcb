"""Metrics of several processes as one: each has a file, the parent serves their sum."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from billiard.process import current_process
from prometheus_client import CollectorRegistry, values
from prometheus_client.multiprocess import MultiProcessCollector

PREFIX = "conveyor-worker-metrics-"


def process_slot() -> str:
    """Name this process's place in the pool.

    A successor takes the place of a dead process and goes on with its file, so that there are never
    more files than places, however many processes come and go.
    """
    return str(getattr(current_process(), "index", "parent"))


@contextmanager
def shared_metrics(parent: Path | None = None) -> Iterator[CollectorRegistry]:
    """Let every metric made from now on be shared with the pool; yields the registry of their sums."""
    directory = _make_directory(parent or Path(tempfile.gettempdir()))
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
        shutil.rmtree(directory, ignore_errors=True)


def _shared_value() -> type[values.MutexValue]:
    made: type[values.MutexValue] = values.MultiProcessValue(process_slot)  # type: ignore[no-untyped-call] # as above
    return made


def _make_directory(parent: Path) -> Path:
    for left in parent.glob(f"{PREFIX}*"):
        if not Path(f"/proc/{left.name.removeprefix(PREFIX).partition('-')[0]}").exists():
            shutil.rmtree(left, ignore_errors=True)
    return Path(tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=parent))
