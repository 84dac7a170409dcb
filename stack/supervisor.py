"""Conveyor's processes as one thing that starts, is watched and stops."""

import fcntl
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from stack import sessions
from stack.application import Plan
from stack.credentials import load_credentials
from stack.log import Log
from stack.packages import Daemons
from stack.part import READY, Part, StackError
from stack.place import Places
from stack.ports import Ports, require_free
from stack.process import inherited_environment
from stack.runner import Runner
from stack.service import Service, chosen, in_start_order
from stack.state import Phase, StackState, read_state, write_state
from stack.topology import services

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 180.0
STOP_SECONDS = 60.0


@dataclass(frozen=True)
class StackConfig:
    """Where a stack keeps its data, its ports, and settings per part (`worker` or `worker-1`)."""

    state_dir: Path
    ports: Ports
    daemons: Daemons
    overrides: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    parts: tuple[str, ...] = ()  # none: all
    arrange: Callable[[Plan], list[Service]] = services  # another system on the same daemons
    places: Places = field(default_factory=dict)  # of members that do not run here
    disposable: bool = False  # nobody needs the data after the stop, so MySQL is not asked to leave in order


class Stack:
    """All services of one state directory; the command line and pytest use the same class."""

    def __init__(self, config: StackConfig) -> None:
        self.config = config
        self.ports = config.ports
        self.directory = config.state_dir.resolve()
        self._failure = ""
        self._interrupted = False
        self._changed = threading.Condition()
        self._runners: dict[str, Runner] = {}
        self._lock_file: IO[str] | None = None
        self._log: Log | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports['http']}"

    # Start and stop -----------------------------------------------------------------------------------

    def start(self, deadline_seconds: float = START_SECONDS) -> None:
        """Start everything and return when everything is ready; on failure stop it again and raise."""
        self.launch()
        try:
            self.wait_started(deadline_seconds)
        except BaseException:
            self.stop()
            raise

    def launch(self) -> None:
        """Start everything and return at once."""
        self.directory.mkdir(parents=True, exist_ok=True)
        self.directory.chmod(0o700)  # the daemons' files inside are readable for everyone
        self._lock_file = _claim(self.directory)
        clear_leftovers(self.directory)
        require_free(self.ports, sessions.port_owner)
        self._log = Log(self.directory / "log")
        self._create_runners(self._log)
        supervisor = sessions.identify(os.getpid()) or sessions.Identity(os.getpid(), 0.0)
        self._state = StackState(supervisor, dict(self.ports))
        self._record()
        for runner in self._runners.values():
            runner.start()

    def wait_started(self, deadline_seconds: float = START_SECONDS) -> None:
        with self._changed:
            self._changed.wait_for(
                lambda: self._interrupted or self._failure or self._all_ready(), deadline_seconds
            )
        if self._interrupted:
            raise StackError("stopped before everything was ready")
        if not self._failure and not self._all_ready():
            self._failure = f"not ready after {deadline_seconds:.0f} s:\n{self.describe()}"
        if self._failure:
            self._set_phase("failed")
            raise StackError(self._failure)
        self._set_phase("ready")

    def interrupt(self) -> None:
        """Make `start` and `wait_interrupted` return, from another thread."""
        with self._changed:
            self._interrupted = True
            self._changed.notify_all()

    def wait_interrupted(self) -> None:
        with self._changed:
            self._changed.wait_for(lambda: self._interrupted or self._failure)

    def stop(self, deadline_seconds: float = STOP_SECONDS) -> None:
        """Stop everything, dependents first, and leave nothing behind."""
        if self._log is None:
            return
        self._set_phase("failed" if self._failure else "stopping")
        deadline = time.monotonic() + deadline_seconds
        for runner in self._runners.values():
            runner.order_stop()
        for runner in self._runners.values():
            runner.stopped.wait(max(deadline - time.monotonic(), 0))
        for identity in self._state.sessions:
            sessions.kill_session(identity)
        for runner in self._runners.values():
            runner.join(timeout=5)
        self._set_phase("failed" if self._failure else "stopped")
        self._log.close()
        if self._lock_file:
            self._lock_file.close()

    # Parts --------------------------------------------------------------------------------------------

    def service(self, name: str) -> Part:
        return Part(self._runners[name])

    @property
    def names(self) -> list[str]:
        return list(self._runners)

    def wait_ready(self, name: str, deadline_seconds: float = 30) -> None:
        self.service(name).wait_ready(deadline_seconds)

    def wait_all_ready(self, deadline_seconds: float = 60) -> None:
        """Wait until every part is ready again, asked anew."""
        deadline = time.monotonic() + deadline_seconds
        for name in self._runners:
            self.wait_ready(name, max(deadline - time.monotonic(), 1))

    def restart(self, name: str, deadline_seconds: float = 60) -> None:
        self.service(name).restart(deadline_seconds)

    def env_for(self, name: str) -> dict[str, str]:
        """Return the environment a part runs with, to start another program as that part would."""
        return dict(self._runners[name].env)

    def logs(self, name: str, lines: int = 200) -> list[str]:
        return self._log.tail(name, lines) if self._log else []

    def describe(self) -> str:
        return "\n".join(
            f"  {name}: {runner.state.condition} {runner.state.detail}".rstrip()
            for name, runner in self._runners.items()
            if runner.state.condition not in READY
        )

    # Inside -------------------------------------------------------------------------------------------

    def _create_runners(self, log: Log) -> None:
        credentials = load_credentials(self.directory / "secrets.json")
        plan = Plan(self.directory, self.ports, credentials, self.config.daemons, self.config.places)
        inherited = inherited_environment()
        for planned in in_start_order(chosen(self.config.arrange(plan), self.config.parts)):
            hurry = self.config.disposable and planned.kind == "mysql"
            service = replace(planned, grace_seconds=0) if hurry else planned
            overrides = {
                **self.config.overrides.get(service.kind, {}),
                **self.config.overrides.get(service.name, {}),
            }
            env = {**inherited, **service.env, **overrides}
            outlived_by = [self._runners[name] for name in service.outlived_by]
            self._runners[service.name] = Runner(
                service,
                env=env,
                folder=ROOT,
                log=log,
                outlived_by=outlived_by,
                on_change=self._record,
                on_failure=self._fail,
            )

    def _all_ready(self) -> bool:
        return all(runner.ready.is_set() for runner in self._runners.values())

    def _record(self) -> None:
        with self._changed:
            self._state.services = {name: runner.state for name, runner in self._runners.items()}
            write_state(self.directory, self._state)
            self._changed.notify_all()

    def _set_phase(self, phase: Phase) -> None:
        with self._changed:
            self._state.phase = phase
            self._state.error = self._failure
        self._record()

    def _fail(self, message: str) -> None:
        with self._changed:
            self._failure = self._failure or message
            self._changed.notify_all()


def clear_leftovers(directory: Path, grace_seconds: float = 10) -> int:
    """End what a supervisor left that was killed; processes are known by pid and start, never by name."""
    state = read_state(directory)
    if state is None:
        return 0
    left = [identity for identity in state.sessions if any(sessions.members(identity))]
    sessions.end(left, grace_seconds)
    return len(left)


def _claim(directory: Path) -> IO[str]:
    """Hold the directory for as long as this process lives; the kernel lets go when it dies."""
    handle = (directory / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        handle.close()
        raise StackError(f"another supervisor already runs on {directory}") from None
    return handle
