"""A virtual environment for each peer: their dependencies exclude each other, and Conveyor's."""

import hashlib
import subprocess
import sys
from pathlib import Path

from bench.failure import BenchError
from stack.apt import cache_home
from stack.supervisor import ROOT

REQUIREMENTS = ROOT / "requirements" / "peers"
INSTALL_SECONDS = 600


def programs_of(peer: str) -> Path:
    """Return the folder with a peer's programs, which are installed where they are not yet."""
    requirements = REQUIREMENTS / f"{peer}.txt"
    digest = hashlib.sha256(sys.version.encode() + requirements.read_bytes()).hexdigest()[:12]
    folder = cache_home() / "peers" / f"{peer}-{digest}"
    complete = folder / "complete"
    if not complete.exists():
        command = [sys.executable, "-m", "stack.bootstrap", str(folder), str(requirements)]
        installed = subprocess.run(
            command, cwd=ROOT, stdout=subprocess.DEVNULL, timeout=INSTALL_SECONDS, check=False
        )
        if installed.returncode:
            raise BenchError(f"{requirements} could not be installed, see above")
        complete.touch()
    return folder / "bin"


def versions_of(peer: str) -> str:
    """Return what is pinned by hand, as it stands in the file for people."""
    lines = (REQUIREMENTS / f"{peer}.in").read_text(encoding="utf-8").splitlines()
    return ", ".join(line.replace("==", " ") for line in lines if "==" in line)
