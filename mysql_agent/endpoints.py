"""The agent's HTTP server: health answers in the manner of Patroni, and metrics."""

import sys
from collections.abc import Callable
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import socket
from socketserver import BaseServer
from threading import Thread

from mysql_agent.report import Response

Route = Callable[[str], Response]


class Endpoints:
    """Serves until closed, in a thread of its own so that a slow loop never blocks a probe."""

    def __init__(self, host: str, port: int, route: Route) -> None:
        self._server = _Server((host, port), partial(_Handler, route))
        self._server.daemon_threads = True
        self._thread = Thread(target=self._server.serve_forever, name="http", daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    def start(self) -> None:
        self._thread.start()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of clients that went away, as load balancers do when they have what they wanted."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type]  # whatever the server takes


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 5  # a client that says nothing does not hold a thread for ever

    def __init__(self, route: Route, request: socket, client: tuple[str, int], server: BaseServer) -> None:
        self._route = route  # first: the inherited constructor already handles the request
        super().__init__(request, client, server)

    def do_GET(self) -> None:
        self._answer(with_body=True)

    def do_HEAD(self) -> None:
        self._answer(with_body=False)

    def do_OPTIONS(self) -> None:  # HAProxy's default check
        self._answer(with_body=True)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the inherited name
        """Probes come every second from several sides; their log would hide everything else."""

    def _answer(self, *, with_body: bool) -> None:
        response = self._route(self.path.partition("?")[0])
        body = response.body.encode()
        self.send_response(response.status)
        self.send_header("Content-Type", response.content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if with_body:
            self.wfile.write(body)
