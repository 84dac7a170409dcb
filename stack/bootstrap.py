"""Make the virtual environment: `python3 -m stack.bootstrap .venv requirements/stack.txt`.

Only the standard library, and of that only what Debian's python3 has without python3-venv.
"""

import importlib.util
import os
import subprocess
import sys
import venv
from pathlib import Path

from stack import apt

OLDEST = (3, 11)


class BootstrapError(Exception):
    """The environment cannot be made here; the message names the cure."""


def main(folder: Path, requirements: Path) -> None:
    if sys.version_info < OLDEST:
        raise BootstrapError(
            f"python3 is {sys.version.split()[0]}, Conveyor needs 3.11 or newer: install it and run "
            "`make PYTHON=python3.13 …` with its name"
        )
    python = folder / "bin" / "python"
    if not works(python):
        print(f"making {folder} …", flush=True)
        has_pip = importlib.util.find_spec("ensurepip") is not None
        venv.EnvBuilder(clear=True, symlinks=True, with_pip=has_pip).create(folder)
    if not works(python, "-m", "pip", "--version"):
        install_pip(python)
    print(f"installing {requirements} …", flush=True)
    run(python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--require-hashes",
        "-r", str(requirements))  # fmt: skip


def install_pip(python: Path) -> None:
    """Take pip from Debian's package of its wheel."""
    if not apt.available():
        raise BootstrapError(
            "this python3 has no ensurepip: install the package python3-venv (or ensurepip), or set "
            f"{apt.MIRROR_VARIABLE} to the address of a Debian mirror"
        )
    tree = apt.unpacked("pip", ("python3-pip-whl",), lambda _: None)
    wheel = next((tree / "usr/share/python-wheels").glob("pip-*.whl"))
    # a wheel is a zip file, which Python runs packages from
    run(python, f"{wheel}/pip", "install", "--quiet", "--disable-pip-version-check", "--no-index", str(wheel))


def works(python: Path, *arguments: str) -> bool:
    argv = [str(python), *(arguments or ("-c", ""))]
    try:
        return subprocess.run(argv, capture_output=True, timeout=60, check=False).returncode == 0
    except FileNotFoundError:
        return False


def run(python: Path, *arguments: str) -> None:
    if code := subprocess.call([str(python), *arguments]):
        raise BootstrapError(f"pip ended with {code}; its messages are above")


if __name__ == "__main__":
    os.umask(0o022)
    try:
        main(Path(sys.argv[1]), Path(sys.argv[2]))
    except (BootstrapError, apt.AptError) as error:
        sys.exit(f"error: {error}")
