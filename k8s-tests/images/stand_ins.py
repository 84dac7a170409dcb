"""Base images for a machine without a registry: made from Debian's packages and named like upstream's.

They stand in for the programs inside; what upstream's images do besides, as in entry points, is not shown.
"""

import hashlib
import inspect
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from images import root_files
from stack import apt
from stack.apt_sources import debian_source, source_files

DEBOOTSTRAP_SECONDS = 900
TAR_SECONDS = 300
TRIXIE = "trixie"
PYTHON_PACKAGES = ("python3", "python3-venv", "python3-pip", "ca-certificates")
SHELL = ("bash", "coreutils", "dash", "base-files", "libc-bin")
ENVIRONMENT = 'ENV PATH="/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"'

Report = Callable[[str], None]


class ImageError(Exception):
    """An image could not be made; the message shows the tool's last lines."""


@dataclass(frozen=True)
class StandIn:
    """An image made of one layer; `layer` writes its root file system as a tar file."""

    reference: str
    inputs: tuple[str, ...]
    layer: Callable[[Path, Report], None]
    containerfile: tuple[str, ...]

    def digest(self) -> str:
        recipe = (self.reference, self.inputs, self.containerfile, inspect.getsource(root_files))
        return hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]


def stand_ins(pause: Path, rclone: Path) -> Iterator[StandIn]:
    """Yield every base image of the cluster; `pause` is the first program of each pod."""
    yield StandIn(
        "docker.io/library/pause:conveyor",
        (str(pause),),
        lambda tar, _: _archive(tar, pause.parent, pause.name),
        ("USER 65535:65535", 'ENTRYPOINT ["/pause"]'),
    )
    yield StandIn(
        "docker.io/library/python:3.13-slim",
        (TRIXIE, *PYTHON_PACKAGES, inspect.getsource(_python_layer)),
        _python_layer,
        (ENVIRONMENT, 'CMD ["python3"]'),
    )
    # upstream's has these too, for its entry point; backups use them
    yield _unpacked("mysql", "9.7", ("mysql-server-core", "mysql-client-core", "grep", "gzip"), "mysqld")
    yield _unpacked("redis", "8", ("redis-server", "redis-tools"), "redis-server")
    yield _with_shell("rclone/rclone:1.76.0", rclone)


def _unpacked(name: str, tag: str, packages: tuple[str, ...], command: str) -> StandIn:
    wanted = (*packages, *SHELL)

    def layer(tar: Path, report: Report) -> None:
        tree = apt.unpacked(f"image-{name}", wanted, report)
        own = root_files.write_account(tar.with_suffix(".own"), name, root_files.SERVICE_ID)
        _archive(tar, tree)
        _append(tar, own)

    return StandIn(
        f"docker.io/library/{name}:{tag}",
        (apt.SUITE, *wanted),
        layer,
        (ENVIRONMENT, "USER 999:999", f'CMD ["{command}"]'),
    )


def _with_shell(name: str, program: Path) -> StandIn:
    def layer(tar: Path, report: Report) -> None:
        tree = apt.unpacked("image-shell", SHELL, report)
        own = root_files.write_account(tar.with_suffix(".own"), program.name, root_files.SERVICE_ID)
        (own / "usr/local/bin").mkdir(parents=True)
        shutil.copy2(program, own / "usr/local/bin" / program.name)
        _archive(tar, tree)
        _append(tar, own)

    command = f'ENTRYPOINT ["{program.name}"]'
    return StandIn(f"docker.io/{name}", (apt.SUITE, str(program), *SHELL), layer, (ENVIRONMENT, command))


def _python_layer(tar: Path, report: Report) -> None:
    root = tar.with_suffix(".root")
    report(f"unpacking Debian {TRIXIE} with Python")
    source = debian_source(source_files(Path("/etc/apt")), os.environ.get(apt.MIRROR_VARIABLE))
    if source is None:
        raise ImageError(
            f"apt names no mirror of Debian here: set {apt.MIRROR_VARIABLE} to the address of one"
        )
    wanted = f"--include={','.join(PYTHON_PACKAGES)}"
    argv = ["debootstrap", "--variant=minbase", wanted, TRIXIE, str(root), source.uri]
    _run(argv, DEBOOTSTRAP_SECONDS)
    root_files.make_like_upstream(root)
    _archive(tar, root)
    shutil.rmtree(root)


def _archive(tar: Path, folder: Path, member: str = ".") -> None:
    _run(["tar", "--numeric-owner", "-C", str(folder), "-cf", str(tar), member], TAR_SECONDS)


def _append(tar: Path, folder: Path) -> None:
    _run(["tar", "--numeric-owner", "-C", str(folder), "-rf", str(tar), "."], TAR_SECONDS)


def _run(argv: list[str], seconds: float) -> None:
    result = subprocess.run(argv, capture_output=True, text=True, timeout=seconds, check=False)
    if result.returncode:
        shown = "\n".join((result.stdout + result.stderr).splitlines()[-15:])
        raise ImageError(f"`{' '.join(argv)}` ended with {result.returncode}:\n{shown}")
