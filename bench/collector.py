"""Takes traces and keeps none of them: a process of its own, whose work is nobody's cost."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from bench.failure import BenchError
from stack.supervisor import ROOT

HOST = "127.0.0.1"
END_SECONDS = 5


class TakeAll(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def collector() -> Iterator[str]:
    """Run one; yields its address."""
    command = [sys.executable, "-m", "bench.collector"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout  # noqa: S101 - it is a pipe
            if not (port := process.stdout.readline().strip()):
                raise BenchError("the collector of traces did not start, see above")
            yield f"http://{HOST}:{port}"
        finally:
            process.terminate()
            process.wait(END_SECONDS)


if __name__ == "__main__":
    with ThreadingHTTPServer((HOST, 0), TakeAll) as server:
        print(server.server_address[1], flush=True)
        server.serve_forever()
