"""`make up`: prepare, start the supervisor, and show how the parts become ready."""

import os
import subprocess
import sys
import time
from pathlib import Path

from stack import sessions
from stack.addresses import address_table
from stack.commands import running, stop_supervisor
from stack.interruption import EXIT_CODE, interrupt_at_signals
from stack.part import StackError
from stack.ports import Ports, require_free
from stack.state import StackState, read_state
from stack.supervisor import ROOT, START_SECONDS, clear_leftovers
from stack.terminal import BOLD, DIM, GREEN, Progress, paint

POLL_SECONDS = 0.1


def up(directory: Path, ports: Ports, progress: Progress) -> int:
    if state := running(directory):
        if state.phase == "ready":
            print("Conveyor is already running:\n")
            print(address_table(directory, state.ports))
            return 0
        raise StackError(f"Conveyor is {state.phase} in another terminal; see `make status`")
    if cleared := clear_leftovers(directory):
        progress.clear()
        print(f"cleared {cleared} parts that a killed supervisor had left; the data is kept")
    require_free(ports, sessions.port_owner)
    progress.clear()
    return _start(directory)


def _start(directory: Path) -> int:
    interrupt_at_signals()
    started = time.monotonic()
    supervisor = _launch_supervisor(directory)
    try:
        state = _watch_start(directory, supervisor, started)
    except KeyboardInterrupt:
        print("\nstopping what was started …", flush=True)
        _stop(directory, supervisor)
        print("stopped")
        return EXIT_CODE
    print(paint(f"\nConveyor is ready after {time.monotonic() - started:.1f} s\n", BOLD))
    print(address_table(directory, state.ports))
    print("\nmake status shows each part, make logs follows the log, make down stops everything")
    return 0


def _launch_supervisor(directory: Path) -> "subprocess.Popen[bytes]":
    directory.mkdir(parents=True, exist_ok=True)
    with (directory / "supervisor.log").open("wb") as output:
        return subprocess.Popen(
            [sys.executable, "-m", "stack", "supervise"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env=os.environ | {"CONVEYOR_STATE_DIR": str(directory)},
        )


def _watch_start(directory: Path, supervisor: "subprocess.Popen[bytes]", started: float) -> StackState:
    shown: set[str] = set()
    while supervisor.poll() is None and time.monotonic() - started < START_SECONDS + 60:
        state = read_state(directory)
        if state and state.supervisor.pid == supervisor.pid:
            _show_ready(state, shown, time.monotonic() - started)
            if state.phase == "ready":
                return state
        time.sleep(POLL_SECONDS)
    raise StackError(_failure(directory, supervisor))


def _show_ready(state: StackState, shown: set[str], seconds: float) -> None:
    for name, service in state.services.items():
        if service.condition in {"ready", "done"} and name not in shown:
            shown.add(name)
            print(f"{paint('✓', GREEN)} {name:<14} {paint(f'{seconds:5.1f} s', DIM)}", flush=True)


def _failure(directory: Path, supervisor: "subprocess.Popen[bytes]") -> str:
    state = read_state(directory)
    if state and state.supervisor.pid == supervisor.pid and state.error:
        return f"{state.error}\nstopped everything; the whole log: {directory / 'log'}"
    said = (directory / "supervisor.log").read_text(encoding="utf-8", errors="replace").splitlines()[-20:]
    return "\n".join(["the supervisor ended:", *said])


def _stop(directory: Path, supervisor: "subprocess.Popen[bytes]") -> None:
    identity = sessions.identify(supervisor.pid)
    if identity:
        stop_supervisor(directory, identity)
    supervisor.wait(timeout=5)
