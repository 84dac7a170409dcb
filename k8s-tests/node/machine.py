"""First process of a machine: mounts what is its own, starts its daemons and restarts those that end.

Only the standard library: `python -m node.machine SPECIFICATION` runs once per machine, all its life. Its
end is the machine's power loss, because the kernel kills a process namespace with its first process.
"""

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path

RESTART_SECONDS = 1.0
LINK_SECONDS = 20.0
POLL_SECONDS = 0.1
LINK_POLL_SECONDS = 0.02
LOG_LIMIT_BYTES = 50_000_000


@dataclass(frozen=True)
class Daemon:
    name: str
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)
    pass_fds: tuple[int, ...] = ()
    after: str = ""  # a file that another daemon makes when it is ready


@dataclass(frozen=True)
class Mount:
    """A folder of the machine's own over one of the host's; without a source it is empty and in memory."""

    target: str
    source: str | None = None


@dataclass(frozen=True)
class Machine:
    name: str
    log: str
    awaited: str  # how the line in /proc/net/route begins that ends the wait for the network
    mounts: tuple[Mount, ...]
    folders: tuple[str, ...]
    shown: dict[str, str]  # what daemons find in place of settings of the whole host
    settings: dict[str, str]
    daemons: tuple[Daemon, ...]


def write_machine(path: Path, machine: Machine) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(asdict(machine), indent=1), encoding="utf-8")


def read_machine(path: Path) -> Machine:
    raw = json.loads(path.read_text(encoding="utf-8"))
    daemons = tuple(
        Daemon(**item | {"argv": tuple(item["argv"]), "pass_fds": tuple(item["pass_fds"])})
        for item in raw.pop("daemons")
    )
    mounts = tuple(Mount(**item) for item in raw.pop("mounts"))
    folders = tuple(raw.pop("folders"))
    return Machine(**raw, folders=folders, mounts=mounts, daemons=daemons)


class Supervisor:
    """Keeps the daemons of one machine running, and collects orphans as any first process must."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._running: dict[int, Daemon] = {}
        self._due = {daemon.name: (0.0, daemon) for daemon in machine.daemons}

    def run(self) -> None:
        while True:
            self._collect()
            now = time.monotonic()
            for due, daemon in list(self._due.values()):
                if due <= now and (not daemon.after or Path(daemon.after).exists()):
                    del self._due[daemon.name]
                    self._start(daemon)
            time.sleep(POLL_SECONDS)

    def _collect(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if pid == 0:
                return
            if daemon := self._running.pop(pid, None):
                print(f"{daemon.name} ended with status {os.waitstatus_to_exitcode(status)}", flush=True)
                self._due[daemon.name] = (time.monotonic() + RESTART_SECONDS, daemon)

    def _start(self, daemon: Daemon) -> None:
        log = Path(self._machine.log) / f"{daemon.name}.log"
        if log.exists() and log.stat().st_size > LOG_LIMIT_BYTES:
            log.replace(log.with_suffix(".log.1"))
        with log.open("ab") as output:
            process = subprocess.Popen(
                daemon.argv,
                env=os.environ | daemon.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=daemon.pass_fds,
                start_new_session=True,
            )
        # The loop in run() waits for every child; Popen must not wait for this one as well.
        process.returncode = 0
        self._running[process.pid] = daemon
        print(f"{daemon.name} started", flush=True)


def prepare(machine: Machine) -> None:
    for mount in machine.mounts:
        if mount.source:
            Path(mount.source).mkdir(parents=True, exist_ok=True)
            _run("mount", "--bind", mount.source, mount.target)
        else:
            _run("mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", mount.target)
    for folder in (*machine.folders, machine.log):
        Path(folder).mkdir(parents=True, exist_ok=True)
    for name, value in machine.shown.items():
        shown = Path("/run", name)
        shown.write_text(value, encoding="ascii")
        _run("mount", "--bind", str(shown), _setting(name))
    _run("hostname", machine.name)
    for name, value in machine.settings.items():
        Path(_setting(name)).write_text(value, encoding="ascii")


def wait_for_route(awaited: str) -> None:
    """Wait until the network is configured, which is done from outside."""
    deadline = time.monotonic() + LINK_SECONDS
    while time.monotonic() < deadline:
        routes = Path("/proc/net/route").read_text(encoding="ascii").splitlines()
        if not awaited or any(line.startswith(awaited) for line in routes):
            return
        time.sleep(LINK_POLL_SECONDS)
    raise SystemExit(f"no route began with {awaited!r} within {LINK_SECONDS:.0f} s")


def main(specification: Path) -> None:
    machine = read_machine(specification)
    prepare(machine)
    wait_for_route(machine.awaited)
    Supervisor(machine).run()


def _setting(name: str) -> str:
    return f"/proc/sys/{name.replace('.', '/')}"


def _run(*argv: str) -> None:
    subprocess.run(argv, check=True, timeout=LINK_SECONDS)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
