"""A small HTTP server for Prometheus and for probes, in a thread of its own."""

import socket
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from http import HTTPStatus
from socketserver import ThreadingMixIn
from typing import TYPE_CHECKING
from wsgiref.simple_server import WSGIRequestHandler, WSGIServer

from prometheus_client import CollectorRegistry, make_wsgi_app

if TYPE_CHECKING:
    from wsgiref.types import StartResponse, WSGIEnvironment

REQUEST_TIMEOUT_SECONDS = 10

# A check returns None when all is well, else the reason why not.
Check = Callable[[], str | None]


class _Server(ThreadingMixIn, WSGIServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int]) -> None:
        self.address_family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
        super().__init__(address, _Handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away, or never said what they want."""
        if not isinstance(sys.exception(), ConnectionError | TimeoutError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # whatever the server takes


class _Handler(WSGIRequestHandler):
    timeout = REQUEST_TIMEOUT_SECONDS  # a client that says nothing does not hold a thread for ever

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        """Say nothing: probes and scrapes would fill the log."""


class MonitoringServer:
    """Serves /metrics and the given checks, by path."""

    def __init__(
        self,
        address: tuple[str, int],
        registry: CollectorRegistry,
        checks: Mapping[str, Check],
        guard: AbstractContextManager[None] | None = None,
    ) -> None:
        self._guard = guard or nullcontext()
        self._metrics = make_wsgi_app(registry)
        self._checks = checks
        self._server = _Server(address)
        self._server.set_app(self._answer)
        self._thread = threading.Thread(target=self._server.serve_forever, name="monitoring", daemon=True)

    @property
    def port(self) -> int:
        """The port, which the system chose if 0 was asked for."""
        return int(self._server.server_port)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def close_in_child(self) -> None:
        """Let go of the port in a forked process, which must not keep it from the parent's successor."""
        self._server.socket.close()

    def _answer(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        with self._guard:
            return self._find(environ, start_response)

    def _find(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path == "/metrics":
            answer: Iterable[bytes] = self._metrics(environ, start_response)
            return answer
        check = self._checks.get(path)
        if check is None:
            return _text(start_response, HTTPStatus.NOT_FOUND, f"here are /metrics {' '.join(self._checks)}")
        reason = check()
        if reason:
            return _text(start_response, HTTPStatus.SERVICE_UNAVAILABLE, reason)
        return _text(start_response, HTTPStatus.OK, "ok")


@contextmanager
def metrics_served_on(address: tuple[str, int], registry: CollectorRegistry) -> Iterator[None]:
    """Serve the metrics on a port that an Ingress to the API does not reach; port 0 does nothing."""
    if not address[1]:
        yield
        return
    server = MonitoringServer(address, registry, {})
    server.start()
    try:
        yield
    finally:
        server.stop()


def _text(start_response: "StartResponse", status: HTTPStatus, text: str) -> list[bytes]:
    start_response(f"{status.value} {status.phrase}", [("Content-Type", "text/plain; charset=utf-8")])
    return [f"{text}\n".encode()]
