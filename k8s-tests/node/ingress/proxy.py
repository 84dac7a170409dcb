"""The running HAProxy: started, told of new endpoints, and replaced without losing a connection."""

import socket
import subprocess
from collections.abc import Sequence
from pathlib import Path

CHECK_SECONDS = 10
COMMAND_SECONDS = 5.0


class ProxyError(Exception):
    """HAProxy refused a configuration or a command."""


class Proxy:
    def __init__(self, haproxy: Sequence[str], folder: Path, door: int) -> None:
        self._haproxy = tuple(haproxy)
        self._settings = folder / "haproxy.cfg"
        self._door = door
        self.control = folder / "haproxy.sock"
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving: list[subprocess.Popen[bytes]] = []

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def load(self, configuration: str) -> None:
        """Start with a configuration; a process that runs already takes its connections to their end."""
        self._leaving = [process for process in self._leaving if process.poll() is None]
        candidate = self._settings.with_suffix(".new")
        candidate.write_text(configuration, encoding="utf-8")
        self._check(candidate)
        candidate.replace(self._settings)
        follow: tuple[str, ...] = ()
        if self._process and self._process.poll() is None:
            follow = ("-sf", str(self._process.pid))
            self._leaving.append(self._process)
        argv = (*self._haproxy, "-db", "-f", str(self._settings), *follow)
        # both processes listen on the same socket, so none of its connections is lost in between
        self._process = subprocess.Popen(argv, pass_fds=(self._door,), stdin=subprocess.DEVNULL)

    def tell(self, commands: Sequence[str]) -> None:
        for command in commands:
            with socket.socket(socket.AF_UNIX) as connection:
                connection.settimeout(COMMAND_SECONDS)
                connection.connect(str(self.control))
                connection.sendall(f"{command}\n".encode())
                answer = connection.makefile().read().strip()
            # what went well is answered by silence, or by what changed
            if answer and "changed" not in answer and "no need to change" not in answer:
                raise ProxyError(f"{command}: {answer}")

    def _check(self, settings: Path) -> None:
        argv = (*self._haproxy, "-c", "-f", str(settings))
        result = subprocess.run(
            argv, pass_fds=(self._door,), capture_output=True, text=True, timeout=CHECK_SECONDS, check=False
        )
        if result.returncode:
            raise ProxyError(f"HAProxy refuses the configuration: {result.stderr.strip()}")
