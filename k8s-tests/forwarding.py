"""A port of this machine whose connections lead elsewhere."""

import socket
import socketserver
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

CHUNK = 65_536
IDLE_SECONDS = 60


@contextmanager
def listen(connect: Callable[[], socket.socket]) -> Iterator[int]:
    """Give the port of 127.0.0.1 that hands each of its connections to one of `connect`."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            near: socket.socket = self.request
            far = connect()
            for end in (near, far):
                end.settimeout(IDLE_SECONDS)
            back = threading.Thread(target=_copy, args=(far, near), daemon=True)
            back.start()
            _copy(near, far)
            back.join(IDLE_SECONDS)
            far.close()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever, args=(0.1,), daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            server.shutdown()
            thread.join()


def _copy(source: socket.socket, target: socket.socket) -> None:
    """Pass on all that comes, then the end of it."""
    try:
        while data := source.recv(CHUNK):
            target.sendall(data)
        target.shutdown(socket.SHUT_WR)
    except OSError:
        pass  # an end that is gone needs nothing more
