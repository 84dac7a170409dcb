"""The proxy does to connections what it says it does."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.chaos.connection import RESET, Cut, Harm
from tests.chaos.proxy import Proxies
from tests.stack.waiting import wait_until

SECONDS = 5.0
LINK = "link"


class EchoServer:
    """Greets first, as MySQL does, and answers what it hears."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port = int(self._listening.getsockname()[1])
        self.heard: list[bytes] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._echo, args=(connection,), daemon=True).start()

    def _echo(self, connection: socket.socket) -> None:
        with connection:
            try:
                connection.sendall(b"hello")
                while data := connection.recv(100):
                    self.heard.append(data)
                    connection.sendall(data)
                self.heard.append(b"")
            except OSError:
                self.heard.append(b"reset")

    def close(self) -> None:
        with suppress(OSError):  # it was closed before
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@pytest.fixture
def server() -> Iterator[EchoServer]:
    server = EchoServer()
    yield server
    server.close()


@pytest.fixture
def proxies(server: EchoServer) -> Iterator[Proxies]:
    proxies = Proxies({LINK: server.port})
    proxies.start()
    yield proxies
    proxies.stop()


@pytest.fixture
def client(proxies: Proxies) -> Iterator[socket.socket]:
    with connect(proxies) as client:
        assert client.recv(5) == b"hello"
        yield client


def connect(proxies: Proxies) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxies.ports[LINK]), SECONDS)


def hear(proxies: Proxies) -> bytes:
    with connect(proxies) as client:
        return client.recv(100)


def ask(client: socket.socket, question: bytes = b"ping") -> bytes:
    client.sendall(question)
    return client.recv(100)


def test_it_passes_on_what_both_sides_say_and_that_one_has_finished(
    proxies: Proxies, client: socket.socket, server: EchoServer
) -> None:
    assert ask(client) == b"ping"
    client.shutdown(socket.SHUT_WR)
    assert client.recv(1) == b""
    assert server.heard == [b"ping", b""]
    wait_until(lambda: proxies.open_connections(LINK) == 0, "the connection is forgotten", SECONDS)


def test_reset_breaks_open_connections_and_new_ones_until_it_ends(
    proxies: Proxies, client: socket.socket
) -> None:
    proxies.begin([LINK], Cut(Harm.RESET))
    with pytest.raises(ConnectionResetError):
        client.recv(1)
    with pytest.raises(ConnectionResetError):
        hear(proxies)
    proxies.end([LINK])
    assert hear(proxies) == b"hello"


def test_delay_keeps_the_order(proxies: Proxies, client: socket.socket) -> None:
    proxies.begin([LINK], Cut(Harm.DELAY, whole=False, delay=0.3))
    started = time.monotonic()
    client.sendall(b"first")
    time.sleep(0.05)
    proxies.end([LINK])
    client.sendall(b"second")
    answer = b""
    while len(answer) < len(b"firstsecond"):
        answer += client.recv(100)
    assert answer == b"firstsecond"
    assert time.monotonic() - started >= 0.3


def test_half_closed_towards_the_client_still_carries_what_it_says(
    proxies: Proxies, client: socket.socket, server: EchoServer
) -> None:
    proxies.begin([LINK], Cut(Harm.HALF_CLOSE, whole=False))
    assert client.recv(1) == b""
    client.sendall(b"anybody there?")
    wait_until(lambda: server.heard == [b"anybody there?"], "the server hears it", SECONDS)
    proxies.end([LINK])
    wait_until(lambda: server.heard[-1] == b"reset", "the connection is broken at the end", SECONDS)


def test_half_closed_towards_the_server_ends_what_it_hears(
    proxies: Proxies, client: socket.socket, server: EchoServer
) -> None:
    proxies.begin([LINK], Cut(Harm.HALF_CLOSE, whole=True))
    wait_until(lambda: server.heard == [b""], "the server is told that there is no more", SECONDS)
    proxies.end([LINK])
    with pytest.raises(ConnectionResetError):
        client.recv(1)


@pytest.mark.parametrize("whole", [True, False])
def test_silence_swallows_answers_and_perhaps_questions_then_resets(
    proxies: Proxies, client: socket.socket, server: EchoServer, *, whole: bool
) -> None:
    proxies.begin([LINK], Cut(Harm.SILENCE, whole=whole))
    client.settimeout(0.5)
    with pytest.raises(TimeoutError):
        ask(client)
    assert server.heard == ([] if whole else [b"ping"])
    with connect(proxies) as another:
        another.settimeout(0.3)
        with pytest.raises(TimeoutError):
            another.recv(1)
    proxies.end([LINK])
    client.settimeout(SECONDS)
    with pytest.raises(ConnectionResetError):
        client.recv(1)


def test_a_side_that_vanishes_after_it_had_finished_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    with socket.create_server(("127.0.0.1", 0)) as target:
        proxies = Proxies({LINK: target.getsockname()[1]})
        proxies.start()
        with connect(proxies) as client:
            server, _ = target.accept()
            server.shutdown(socket.SHUT_WR)
            assert client.recv(1) == b""
            server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
            server.close()
            proxies.begin([LINK], Cut(Harm.DELAY, delay=0.1))
        wait_until(lambda: proxies.open_connections(LINK) == 0, "the connection is forgotten", SECONDS)
        proxies.stop()
    assert caplog.messages == []


def test_a_target_that_is_away_is_as_if_there_were_no_proxy(proxies: Proxies, server: EchoServer) -> None:
    server.close()
    with pytest.raises(ConnectionResetError):
        hear(proxies)
