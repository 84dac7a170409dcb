"""The life of one service: wait for what it needs, start, watch, restart, stop."""

import signal
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from stack.log import Log
from stack.process import Process
from stack.service import Service
from stack.state import ServiceState

PROBE_SECONDS = 0.1
WATCH_SECONDS = 5.0
FIRST_BACKOFF_SECONDS = 0.2
LONGEST_BACKOFF_SECONDS = 10.0
# After this long without a death the next restart is immediate again.
STEADY_SECONDS = 10.0
TAIL = 20


def backoff(deaths: int) -> float:
    """Return the pause before a restart, by the number of deaths in a row."""
    return float(min(FIRST_BACKOFF_SECONDS * 2 ** max(deaths - 1, 0), LONGEST_BACKOFF_SECONDS))


class Runner(threading.Thread):
    """Keeps one service running from `start` to `stop`; every wait inside can be interrupted."""

    def __init__(
        self,
        service: Service,
        *,
        env: Mapping[str, str],
        folder: Path,
        log: Log,
        outlived_by: Sequence["Runner"],
        on_change: Callable[[], None],
        on_failure: Callable[[str], None],
    ) -> None:
        super().__init__(name=f"run-{service.name}", daemon=True)
        self.service = service
        self.env = dict(env)
        self.state = ServiceState()
        self.ready = threading.Event()
        self.stopped = threading.Event()
        self.process: Process | None = None
        self.dependents: list[Runner] = []
        self._folder = folder
        self._log = log
        self._needs = [runner for runner in outlived_by if runner.service.name in service.needs]
        self._on_change = on_change
        self._on_failure = on_failure
        self._stopping = False
        self._paused = False
        self._deaths = 0
        self._wake = threading.Condition()
        for runner in outlived_by:
            runner.dependents.append(self)

    # Orders from other threads ------------------------------------------------------------------------

    def order_stop(self) -> None:
        with self._wake:
            self._stopping = True
            self._wake.notify_all()

    def pause_restart(self) -> None:
        """From now on a death is final until `resume_restart`."""
        with self._wake:
            self._paused = True

    def resume_restart(self) -> None:
        with self._wake:
            self._paused = False
            self._wake.notify_all()

    def notify(self) -> None:
        with self._wake:
            self._wake.notify_all()

    # The life -----------------------------------------------------------------------------------------

    def run(self) -> None:
        try:
            if self._wait(lambda: all(need.ready.is_set() for need in self._needs)):
                self._keep_running()
        except Exception as error:  # noqa: BLE001 - a runner that dies silently would leave its service unwatched
            self._on_failure(f"{self.service.name}: {error!r}")
        finally:
            self._end()

    def _keep_running(self) -> None:
        while not self._stopping:
            process = self._start()
            self._become_ready(process)
            self._watch(process)
            if self.service.once and process.exit_code == 0:
                self._wait(lambda: False)
                return
            if self._stopping:
                return
            self._after_death(process)

    def _start(self) -> Process:
        self._set("starting", self.service.ready.description)
        self._started_at = time.monotonic()
        for file in self.service.stale_files:
            file.unlink(missing_ok=True)
        self.process = Process(
            self.service,
            self.env,
            self._folder,
            lambda line: self._log.write(self.service.name, line),
            self.notify,
        )
        self.state.identity = self.process.identity
        self._on_change()
        return self.process

    def _become_ready(self, process: Process) -> None:
        reason: str | None = "not asked yet"
        deadline = self._started_at + self.service.deadline_seconds
        while process.exit_code is None and not self._stopping:
            reason = self.service.ready.check()
            if reason is None:
                self._mark_ready()
                return
            if time.monotonic() > deadline and not self.ready.is_set():
                self._fail(
                    f"was not ready after {self.service.deadline_seconds:.0f} s: {self._wanted(reason)}"
                )
                return
            self._wait(lambda: process.exit_code is not None, PROBE_SECONDS)
        if self.service.once and process.exit_code == 0:
            self._mark_ready()

    def _mark_ready(self) -> None:
        self.state.ready_after = round(time.monotonic() - self._started_at, 2)
        self._set("done" if self.service.once else "ready", "")
        self.ready.set()
        for dependent in self.dependents:
            dependent.notify()

    def _watch(self, process: Process) -> None:
        while not self._wait(lambda: process.exit_code is not None, WATCH_SECONDS):
            if self._stopping:
                return
            reason = self.service.ready.check()
            self._set("unready" if reason else "ready", self._wanted(reason) if reason else "")

    def _after_death(self, process: Process) -> None:
        process.clear_session()
        if not self.ready.is_set():
            self._fail(process.describe_exit())
            self._wait(lambda: False)
            return
        steady = time.monotonic() - self._started_at > STEADY_SECONDS
        self._deaths = 1 if steady else self._deaths + 1
        pause = backoff(self._deaths)
        self._log.write("stack", f"{self.service.name} {process.describe_exit()}; restart in {pause:.1f} s")
        self._set("restarting", process.describe_exit())
        self._wait(lambda: False, pause)
        if self._paused:
            self._set("down", "kept down on request")
            self._wait(lambda: not self._paused)
        self.state.restarts += 1

    def _end(self) -> None:
        """Stop after everything that needs this service has stopped."""
        self.order_stop()
        for dependent in self.dependents:
            dependent.stopped.wait()
        if self.process:
            process = self.process
            process.send(signal.SIGTERM)
            process.send(signal.SIGCONT)
            with self._wake:
                self._wake.wait_for(lambda: process.exit_code is not None, self.service.grace_seconds)
            process.clear_session()
        self._set("stopped", "")
        self.stopped.set()

    # Small parts --------------------------------------------------------------------------------------

    def _wait(self, condition: Callable[[], bool], seconds: float | None = None) -> bool:
        """Wait until the condition holds, a stop is ordered or time is up; tell whether it holds."""
        with self._wake:
            self._wake.wait_for(lambda: self._stopping or condition(), seconds)
        return condition()

    def _wanted(self, reason: str) -> str:
        return f"{self.service.ready.description} ({reason})"

    def _set(self, condition: str, detail: str) -> None:
        if (self.state.condition, self.state.detail) != (condition, detail):
            self.state.condition, self.state.detail = condition, detail
            self._on_change()

    def _fail(self, what: str) -> None:
        self._set("failed", what)
        lines = self._log.tail(self.service.name, TAIL)
        said = "\n".join(f"  {line}" for line in lines) or "  (it wrote nothing)"
        self._on_failure(f"{self.service.name} {what}\nits last lines:\n{said}")
