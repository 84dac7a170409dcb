"""The port of metrics and probes, over a pair of sockets that leads nowhere else."""

import socket
from collections.abc import Iterator

import pytest

from app.monitoring import _Handler, _Server

CLIENT = ("127.0.0.1", 1)


@pytest.fixture
def server() -> _Server:
    """One without a port."""
    server = object.__new__(_Server)
    server.RequestHandlerClass = _Handler
    return server


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, served = socket.socketpair()
    with client, served:
        yield client, served


def test_a_client_that_says_nothing_is_let_go_without_a_word(
    server: _Server,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_Handler, "timeout", _Handler.timeout / 200)
    client, served = pair
    server.process_request_thread(served, CLIENT)
    assert client.recv(1) == b""
    assert capsys.readouterr().err == ""


def test_what_fails_otherwise_is_told(
    server: _Server,
    pair: tuple[socket.socket, socket.socket],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(_Handler, "handle", lambda _: 1 / 0)
    server.process_request_thread(pair[1], CLIENT)
    assert "ZeroDivisionError" in capsys.readouterr().err
