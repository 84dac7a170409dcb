"""Unit tests open no sockets, so that they stay fast and mean the same on every machine."""

import logging
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings
from hypothesis.configuration import set_hypothesis_home_dir
from pytest_socket import disable_socket

set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")
# A busy machine makes an example slow, not wrong; pytest's own time-out bounds a test.
settings.register_profile("conveyor", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("conveyor")


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    # asyncio's event loop needs a socket pair of its own
    disable_socket(allow_unix_socket=True)


@pytest.fixture(autouse=True)
def _log_as_before() -> Iterator[None]:
    """Undo what a process does to the log of the whole interpreter."""
    root, stderr = logging.getLogger(), sys.stderr
    handlers, level, raises = root.handlers, root.level, logging.raiseExceptions
    hooks = sys.excepthook, threading.excepthook, sys.unraisablehook
    yield
    root.handlers, root.level, logging.raiseExceptions = handlers, level, raises
    sys.excepthook, threading.excepthook, sys.unraisablehook = hooks
    if type(sys.stderr).__module__.startswith("structured_logging"):
        sys.stderr = stderr
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
