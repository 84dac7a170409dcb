from functools import partial
from http import HTTPStatus
from io import BytesIO
from typing import Any, cast

import pytest

from mysql_agent.endpoints import _Handler, _Server
from mysql_agent.report import Response


class Connection:
    """What the handler needs of a socket, without one."""

    def __init__(self, request: bytes) -> None:
        self._request = BytesIO(request)
        self.sent = b""

    def makefile(self, *_: object) -> BytesIO:
        return self._request

    def sendall(self, data: bytes) -> None:
        self.sent += data

    def settimeout(self, seconds: float) -> None:
        assert seconds > 0


def ask(method: str, path: str = "/primary") -> tuple[bytes, bytes, list[str]]:
    asked: list[str] = []

    def route(path: str) -> Response:
        asked.append(path)
        return Response(HTTPStatus.SERVICE_UNAVAILABLE, "waiting für peers\n")

    connection = Connection(f"{method} {path} HTTP/1.1\r\nConnection: close\r\n\r\n".encode())
    partial(_Handler, route)(cast("Any", connection), ("127.0.0.1", 1), cast("Any", None))
    head, _, body = connection.sent.partition(b"\r\n\r\n")
    return head, body, asked


def test_a_get_carries_status_length_and_body() -> None:
    head, body, _ = ask("GET")
    assert head.startswith(b"HTTP/1.1 503")
    assert f"Content-Length: {len(body)}".encode() in head
    assert body == "waiting für peers\n".encode()


def test_a_head_is_the_same_without_the_body() -> None:
    get, _, _ = ask("GET")
    head, body, _ = ask("HEAD")
    assert body == b""
    assert head.splitlines()[0] == get.splitlines()[0]


def test_the_default_check_of_haproxy_is_answered() -> None:
    head, _, asked = ask("OPTIONS")
    assert head.startswith(b"HTTP/1.1 503")
    assert asked == ["/primary"]


def test_a_query_string_does_not_change_the_path() -> None:
    assert ask("GET", "/primary?verbose=1")[2] == ["/primary"]


def test_probes_are_not_logged(capfd: pytest.CaptureFixture[str]) -> None:
    ask("GET")
    captured = capfd.readouterr()
    assert (captured.out, captured.err) == ("", "")


def told_of(error: Exception, capsys: pytest.CaptureFixture[str]) -> str:
    try:
        raise error
    except type(error):
        object.__new__(_Server).handle_error(None, ("127.0.0.1", 1))  # it needs no socket for this
    return capsys.readouterr().err


def test_a_client_that_went_away_is_not_worth_a_traceback(capsys: pytest.CaptureFixture[str]) -> None:
    assert told_of(ConnectionResetError(), capsys) == ""
    assert "ValueError" in told_of(ValueError(), capsys)
