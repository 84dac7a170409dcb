"""One running process of a service, in a session of its own."""

import os
import signal
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from stack import sessions
from stack.service import Service

LINE_LIMIT = 16_384


class Process:
    """Starts at once; its output goes to `sink` line by line, its end to `on_exit`."""

    def __init__(
        self,
        service: Service,
        env: dict[str, str],
        folder: Path,
        sink: Callable[[str], None],
        on_exit: Callable[[], None],
    ) -> None:
        self._popen = subprocess.Popen(
            service.argv,
            env=env,
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid
        # A process that was not waited for keeps its entry, so it can still be identified when already dead.
        self.identity = sessions.identify(self.pid) or sessions.Identity(self.pid, 0.0)
        self._sink = sink
        self._on_exit = on_exit
        self._pump = self._thread(self._read_output, "log")
        self._thread(self._wait, "wait")

    @property
    def exit_code(self) -> int | None:
        return self._popen.returncode

    def send(self, signum: int) -> None:
        if self.exit_code is None:
            self._popen.send_signal(signum)

    def clear_session(self) -> None:
        """End what the process left behind, as the end of a container would."""
        sessions.kill_session(self.identity)
        self._pump.join(timeout=2)

    def describe_exit(self) -> str:
        code = self.exit_code
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"

    def _thread(self, target: Callable[[], None], role: str) -> threading.Thread:
        thread = threading.Thread(target=target, name=f"{role}-{self.pid}", daemon=True)
        thread.start()
        return thread

    def _wait(self) -> None:
        self._popen.wait()
        self._on_exit()

    def _read_output(self) -> None:
        if self._popen.stdout is None:
            return
        with self._popen.stdout as output:
            while line := output.readline(LINE_LIMIT):
                self._sink(line.decode("utf-8", "replace"))


def inherited_environment() -> dict[str, str]:
    """Return this process's environment for children, less what is about this process alone."""
    return {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
