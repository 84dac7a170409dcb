"""Unit tests open no sockets, so that they stay fast and mean the same on every machine."""

from pathlib import Path

import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from pytest_socket import disable_socket

set_hypothesis_home_dir(Path(__file__).parents[2] / ".cache" / "hypothesis")


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    # asyncio's event loop needs a socket pair of its own
    disable_socket(allow_unix_socket=True)
