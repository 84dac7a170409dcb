"""Machines of a cluster: each is one process namespace with its own network, mounts and name."""

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from node.cgroups import Cgroup
from node.machine import Machine, write_machine

ENTER_CGROUPS = (
    'while [ "$1" != -- ]; do echo $$ > "$1/cgroup.procs" || exit 1; shift; done; shift; exec "$@"'
)
# root's own PATH may lack them, and iptables and containerd are there
SYSTEM_FOLDERS = "/usr/local/sbin:/usr/sbin:/sbin"
UNSHARE = ("unshare", "--net", "--mount", "--uts", "--ipc", "--pid", "--fork", "--kill-child", "--mount-proc")
SOURCES = Path(__file__).resolve().parent.parent
START_SECONDS = 10.0
POLL_SECONDS = 0.02
LOG_LINES = 15


class MachineError(Exception):
    """A machine did not start, or is not there; the message shows its log."""


class RunningMachine:
    """A machine seen from outside: started, found again by its control group, and ended.

    Nothing is remembered in between, so what a killed program left halfway is found all the same.
    """

    def __init__(self, folder: Path, cgroup: Cgroup) -> None:
        self._folder = folder
        self._cgroup = cgroup

    @property
    def name(self) -> str:
        return self._folder.name

    def pid(self) -> int | None:
        """Return the machine's first process, as the host numbers it."""
        return next((pid for pid in self._cgroup.own_processes() if namespace_numbers(pid) == [pid, 1]), None)

    def require_pid(self) -> int:
        if pid := self.pid():
            return pid
        raise MachineError(f"{self.name} is not running: {tail(self.log)}")

    @property
    def log(self) -> Path:
        return self._folder / "log" / "machine.log"

    def start(self, machine: Machine, pass_fds: Sequence[int] = ()) -> int:
        """Start the machine and return its first process; it waits for its network before it goes on."""
        if self.pid():
            raise MachineError(f"{self.name} runs already")
        # A power cut leaves no control groups; the kubelet would wait for the containers of old ones.
        self._cgroup.remove()
        specification = self._folder / "machine.json"
        write_machine(specification, machine)
        self._cgroup.create()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        folders = [str(folder) for folder in self._cgroup.folders]
        init = (sys.executable, "-m", "node.machine", str(specification))
        with self.log.open("ab") as output:
            process = subprocess.Popen(
                ["sh", "-c", ENTER_CGROUPS, "sh", *folders, "--", *UNSHARE, *init],
                env=os.environ | {"PYTHONPATH": str(SOURCES), "PATH": program_path()},
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=pass_fds,
                start_new_session=True,
            )
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.poll() is None:
            if pid := self.pid():
                process.returncode = 0  # it outlives this program, which must not wait for it
                return pid
            time.sleep(POLL_SECONDS)
        raise MachineError(f"{machine.name} did not start: {tail(self.log)}")

    def power_off(self) -> None:
        """End the machine as a power cut does: every process at once, without notice."""
        self._cgroup.kill()

    def freeze(self) -> None:
        self.require_pid()
        self._cgroup.freeze()

    def thaw(self) -> None:
        self._cgroup.thaw()


def program_path() -> str:
    return f"{os.environ.get('PATH', os.defpath)}:{SYSTEM_FOLDERS}"


def namespace_numbers(pid: int) -> list[int]:
    """Return the numbers a process has, from this process namespace inwards."""
    try:
        status = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    except (FileNotFoundError, ProcessLookupError):
        return []
    line = next(line for line in status.splitlines() if line.startswith("NSpid:"))
    return [int(number) for number in line.split()[1:]]


def tail(log: Path, lines: int = LOG_LINES) -> str:
    """Return the end of a log, for the message of a failure."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return f"{log} was never written"
    shown = "\n".join(f"  {line[:300]}" for line in text.splitlines()[-lines:])
    return f"last lines of {log}:\n{shown}"
