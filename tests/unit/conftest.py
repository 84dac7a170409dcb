"""Unit tests open no sockets, so that they stay fast and mean the same on every machine."""

import pytest
from pytest_socket import disable_socket


@pytest.fixture(autouse=True)
def _no_sockets() -> None:
    # asyncio's event loop needs a socket pair of its own
    disable_socket(allow_unix_socket=True)
