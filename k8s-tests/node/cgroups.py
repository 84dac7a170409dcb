"""Control groups (version 1) of a cluster: they hold every process it started, and nothing else."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

MOUNT = Path("/sys/fs/cgroup")
# A set of processors must be given its members before it can hold a process.
COPIED = ("cpuset.cpus", "cpuset.mems")
EMPTY_SECONDS = 20.0
POLL_SECONDS = 0.02


class CgroupError(Exception):
    """Control groups are not as needed here, or did not do what was asked."""


class Cgroup:
    """One group, present under its path in each controller's hierarchy."""

    def __init__(self, path: str, mount: Path = MOUNT) -> None:
        self._path = path
        self._mount = mount

    @property
    def folders(self) -> list[Path]:
        return [hierarchy / self._path for hierarchy in hierarchies(self._mount)]

    def create(self) -> None:
        for hierarchy in hierarchies(self._mount):
            folder = hierarchy
            for part in Path(self._path).parts:
                folder /= part
                folder.mkdir(exist_ok=True)
                for name in COPIED:
                    if (folder / name).exists():
                        (folder / name).write_text((folder.parent / name).read_text())

    def exists(self) -> bool:
        return any((hierarchy / self._path).exists() for hierarchy in self._mount.iterdir())

    def own_processes(self) -> set[int]:
        """Return the processes of the group itself, without those of pods."""
        return {pid for folder in self.folders for pid in _members(folder)}

    def processes(self) -> set[int]:
        """Return the processes of the group and of the groups in it."""
        return {pid for folder in self.folders for group in _tree(folder) for pid in _members(group)}

    def freeze(self) -> None:
        self._set_freezer("FROZEN")

    def thaw(self) -> None:
        """Also thaw the groups in it: one that was frozen on its own cannot be ended."""
        self._set_freezer("THAWED")
        for group in _tree(self._freezer):
            _write(group / "freezer.state", "THAWED")

    def kill(self) -> None:
        """End every process of the group; more may be started meanwhile, hence the rounds."""
        if (self._freezer / "freezer.state").exists():
            self.thaw()
        deadline = time.monotonic() + EMPTY_SECONDS
        while pids := self.processes():
            for pid in pids:
                _kill(pid)
            if time.monotonic() > deadline:
                raise CgroupError(f"processes {sorted(pids)} of {self._path} did not end on SIGKILL")
            time.sleep(POLL_SECONDS)

    def remove(self) -> None:
        """Remove the group and the groups in it, which must be empty."""
        # runc also makes groups in the hierarchy of version 2, where that is mounted beside the others
        for hierarchy in self._mount.iterdir():
            # the deepest first; the kernel refuses a group that has members
            for group in reversed(list(_tree(hierarchy / self._path))):
                _remove(group)

    @property
    def _freezer(self) -> Path:
        return self._mount / "freezer" / self._path

    def _set_freezer(self, state: str) -> None:
        file = self._freezer / "freezer.state"
        deadline = time.monotonic() + EMPTY_SECONDS
        while True:
            file.write_text(state)
            if file.read_text().strip() == state:
                return
            if time.monotonic() > deadline:
                raise CgroupError(f"{file} stays {file.read_text().strip()} instead of {state}")
            time.sleep(POLL_SECONDS)


def hierarchies(mount: Path = MOUNT) -> list[Path]:
    """Return the mounted controllers of version 1; version 2 has one hierarchy for all."""
    if (mount / "cgroup.controllers").exists() or not (mount / "freezer").exists():
        raise CgroupError(
            f"{mount} has no control groups of version 1, which the built-in nodes need: "
            "use kind (with Docker), or name a cluster's context in CONVEYOR_KUBE_CONTEXT"
        )
    return sorted(
        folder
        for folder in mount.iterdir()
        if (folder / "cgroup.procs").exists() and not (folder / "cgroup.controllers").exists()
        if not folder.is_symlink()
    )


def _tree(folder: Path) -> Iterator[Path]:
    """Yield a group and those in it, parents first."""
    try:
        children = [child for child in sorted(folder.iterdir()) if child.is_dir()]
    except FileNotFoundError:  # a pod may end at any time
        return
    yield folder
    for child in children:
        yield from _tree(child)


def _members(group: Path) -> list[int]:
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text().split()]
    except OSError:  # gone, or going: the kernel then says that there is no such device
        return []


def _write(file: Path, text: str) -> None:
    try:
        file.write_text(text)
    except FileNotFoundError:
        return


def _kill(pid: int) -> None:
    # pid 0 stands for a process of another pid namespace, which is none of ours
    if pid <= 1 or pid == os.getpid():
        return
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return


def _remove(group: Path) -> None:
    deadline = time.monotonic() + EMPTY_SECONDS
    while True:
        try:
            group.rmdir()
        except FileNotFoundError:
            return
        except OSError as error:  # a process that ended a moment ago may still be counted
            if time.monotonic() > deadline:
                raise CgroupError(f"{group} cannot be removed: {error}") from error
            time.sleep(POLL_SECONDS)
        else:
            return
