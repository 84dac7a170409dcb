"""One service of a running stack, as a test handles it."""

import signal
import time

from stack import sessions
from stack.runner import Runner

READY = ("ready", "done")


class StackError(Exception):
    """The stack did not do what it was told; the message says which part and why."""


class Part:
    """One service of a running stack, as a test handles it."""

    def __init__(self, runner: Runner) -> None:
        self._runner = runner
        self.pause_restart = runner.pause_restart
        self.resume_restart = runner.resume_restart

    @property
    def pid(self) -> int:
        if self._runner.process is None:
            raise StackError(f"{self._runner.service.name} has not started")
        return self._runner.process.pid

    @property
    def restarts(self) -> int:
        return self._runner.state.restarts

    def kill(self, signum: int = signal.SIGKILL) -> None:
        """Send a signal to the service's own process (not to its children)."""
        if self._runner.process:
            self._runner.process.send(signum)

    def kill_session(self) -> None:
        """End the service with all its children at once, as a lost node would."""
        if self._runner.process:
            sessions.kill_session(self._runner.process.identity)

    def freeze(self) -> None:
        self.kill(signal.SIGSTOP)

    def thaw(self) -> None:
        self.kill(signal.SIGCONT)

    def restart(self, deadline_seconds: float = 60) -> None:
        """End the service in order and wait until its successor is ready."""
        pid = self.pid
        self.kill(signal.SIGTERM)
        deadline = time.monotonic() + deadline_seconds
        while self.pid == pid:
            if time.monotonic() > deadline:
                raise StackError(f"{self._runner.service.name} did not end within {deadline_seconds:.0f} s")
            time.sleep(0.05)
        self.wait_ready(max(deadline - time.monotonic(), 1))

    def wait_ready(self, deadline_seconds: float = 30) -> None:
        service, state = self._runner.service, self._runner.state
        deadline = time.monotonic() + deadline_seconds
        while True:
            settled = state.condition in READY or state.condition == "unready"
            reason = (None if service.once else service.ready.check()) if settled else state.condition
            if settled and reason is None:
                return
            if time.monotonic() > deadline:
                raise StackError(
                    f"{service.name} is not ready after {deadline_seconds:.0f} s: "
                    f"{service.ready.description} ({reason})"
                )
            time.sleep(0.1)
