"""The commands of `python -m stack`, except the start."""

import shutil
import signal
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from stack import apt, sessions
from stack.addresses import address_table
from stack.part import StackError
from stack.sessions import Identity
from stack.state import ServiceState, StackState, read_state
from stack.supervisor import Stack, StackConfig, clear_leftovers
from stack.terminal import GREEN, RED, YELLOW, paint, table

DOWN_SECONDS = 75.0
COLOURS = {"ready": GREEN, "done": GREEN, "failed": RED, "stopped": RED}


def running(directory: Path) -> StackState | None:
    """Return the state of a directory whose supervisor lives."""
    state = read_state(directory)
    return state if state and sessions.is_alive(state.supervisor) else None


def supervise(config: StackConfig) -> int:
    """Start everything and watch it until SIGTERM; this is the detached process."""
    stack = Stack(config)
    for signum in (signal.SIGTERM, signal.SIGINT):
        # A handler runs between two instructions of the main thread, which may hold the lock itself.
        signal.signal(signum, lambda *_: threading.Thread(target=stack.interrupt).start())
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        stack.start()
        stack.wait_interrupted()
    except StackError:
        return 1
    finally:
        stack.stop()
    return 0


def down(directory: Path) -> int:
    state = running(directory)
    if state is None:
        ended = clear_leftovers(directory)
        print(f"cleared {ended} parts of a supervisor that was killed" if ended else "not running")
        return 0
    print("stopping …", flush=True)
    started = time.monotonic()
    stop_supervisor(directory, state.supervisor)
    print(f"stopped everything in {time.monotonic() - started:.1f} s; the data stays in {directory}")
    return 0


def stop_supervisor(directory: Path, supervisor: Identity) -> None:
    """Let the supervisor stop its parts; what resists is killed."""
    sessions.end([supervisor], DOWN_SECONDS)
    clear_leftovers(directory, grace_seconds=2)


def status(directory: Path) -> int:
    state = running(directory)
    if state is None:
        print("not running; start it with `make up`")
        return 1
    rows: list[tuple[str, ...]] = [("PART", "STATE", "PID", "RESTARTS", "UPTIME", "RSS", "")]
    rows += [_row(name, service) for name, service in state.services.items()]
    head, *lines = table(rows).splitlines()
    print(head)
    for line, service in zip(lines, state.services.values(), strict=True):
        print(paint(line, COLOURS.get(service.condition, YELLOW)))
    print(f"\n{address_table(directory, state.ports)}")
    return 0 if state.phase == "ready" else 1


def _row(name: str, service: ServiceState) -> tuple[str, ...]:
    identity = service.identity
    if identity is None or not sessions.is_alive(identity):
        return (name, service.condition, "", str(service.restarts), "", "", service.detail)
    uptime = time.time() - psutil.boot_time() - identity.started
    return (
        name,
        service.condition,
        str(identity.pid),
        str(service.restarts),
        duration(uptime),
        f"{_memory(identity) / 2**20:.0f} MiB",
        service.detail,
    )


def _memory(identity: Identity) -> int:
    total = 0
    for process in sessions.members(identity):
        try:
            total += process.memory_info().rss
        except psutil.Error:  # ended in between
            continue
    return total


def duration(seconds: float) -> str:
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def clean(directory: Path) -> int:
    """Stop what runs and remove all data and all unpacked daemons."""
    down(directory)
    for path in (directory, apt.cache_home()):
        shutil.rmtree(path, ignore_errors=True)
        print(f"removed {path}")
    return 0


def known_parts(directory: Path, names: Sequence[str]) -> set[str] | None:
    """Resolve names of parts or of kinds of parts; None stands for all."""
    if not names:
        return None
    state = read_state(directory)
    parts = [*state.services, "stack"] if state else []
    chosen = {part for part in parts for name in names if part == name or part.rpartition("-")[0] == name}
    if not chosen:
        raise StackError(
            f"no part is called {' or '.join(names)}; there are: {', '.join(parts) or 'none yet'}"
        )
    return chosen
