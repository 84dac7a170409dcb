"""The daemons' programs: Debian's packages unpacked per user, or what is found on PATH."""

import os
import platform
import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from stack import apt

PACKAGES = ("mysql-server-core", "mysql-client-core", "redis-server", "haproxy", "prometheus")
LOADERS = {
    "x86_64": "x86_64-linux-gnu/ld-linux-x86-64.so.2",
    "aarch64": "aarch64-linux-gnu/ld-linux-aarch64.so.1",
}
VERSION_SECONDS = 10


@dataclass(frozen=True)
class Program:
    """A daemon, the oldest version that has what its configuration asks for, and where others get it."""

    name: str
    oldest: tuple[int, int]
    install: str


PROGRAMS = (
    Program("mysqld", (8, 4), "mysql-server"),
    Program("redis-server", (7, 0), "redis"),
    Program("haproxy", (2, 6), "haproxy"),
    Program("prometheus", (2, 40), "prometheus"),
)


class MissingDaemonError(Exception):
    """Programs that are neither downloadable nor installed."""


@dataclass(frozen=True)
class Daemons:
    """How each daemon is started; `tree` is the unpacked file system, if they come from one."""

    argv: dict[str, tuple[str, ...]]
    tree: Path | None = None

    def tool(self, name: str) -> tuple[str, ...]:
        """Return how a program is started that comes along with them."""
        if self.tree:
            *loader, _ = self.argv["mysqld"]
            return (*loader, str(self.tree / "usr/bin" / name))
        if path := shutil.which(name):
            return (path,)
        raise MissingDaemonError(f"{name} is not on PATH; install it")


def find_daemons(report: Callable[[str], None]) -> Daemons:
    if apt.available() and platform.machine() in LOADERS:
        return _from_tree(apt.unpacked("daemons", PACKAGES, report))
    return _from_path()


def _from_tree(tree: Path) -> Daemons:
    loader = tree / "usr/lib" / LOADERS[platform.machine()]
    libraries = f"{loader.parent}:{loader.parent}/systemd"
    # Debian sid's programs need sid's C library, which only its own loader brings along.
    prefix = (str(loader), "--library-path", libraries)
    folders = (tree / "usr/sbin", tree / "usr/bin")
    argv: dict[str, tuple[str, ...]] = {}
    for program in PROGRAMS:
        path = next((folder / program.name for folder in folders if (folder / program.name).exists()), None)
        if path is None:
            raise MissingDaemonError(
                f"{tree} lacks {program.name}: remove it with `make clean` and start again"
            )
        argv[program.name] = (*prefix, str(path))
    return Daemons(argv, tree)


def _from_path() -> Daemons:
    argv: dict[str, tuple[str, ...]] = {}
    missing = []
    for program in PROGRAMS:
        path = shutil.which(
            program.name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/local/sbin:/usr/sbin"
        )
        version = installed_version(path) if path else None
        if path and version and version >= program.oldest:
            argv[program.name] = (path,)
        else:
            found = f"found {path} of another version" if path else "not found"
            wanted = ".".join(map(str, program.oldest))
            missing.append(
                f"  {program.name} {wanted} or newer: {found}; {_install_command(program.install)}"
            )
    if missing:
        cure = (
            "missing programs (where apt-get is, they are downloaded from the Debian mirror that it knows or "
            f"that {apt.MIRROR_VARIABLE} names):"
        )
        raise MissingDaemonError("\n".join([cure, *missing]))
    return Daemons(argv)


def installed_version(path: str) -> tuple[int, int] | None:
    result = subprocess.run(
        [path, "--version" if not path.endswith("haproxy") else "-v"],
        capture_output=True,
        text=True,
        timeout=VERSION_SECONDS,
        check=False,
    )
    return parse_version(result.stdout + result.stderr)


def parse_version(output: str) -> tuple[int, int] | None:
    """Read major and minor version from what a daemon prints about itself."""
    match = re.search(r"(?:\bVer |\bv=|\bversion )(\d+)\.(\d+)", output)
    return (int(match[1]), int(match[2])) if match else None


def _install_command(package: str) -> str:
    for manager, command in (("brew", "brew install"), ("dnf", "dnf install"), ("pacman", "pacman -S")):
        if shutil.which(manager):
            return f"{command} {package}"
    return f"install {package} with the system's package manager"
