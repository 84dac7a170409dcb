"""checkov from a virtual environment of its own: it insists on old versions of what Conveyor needs."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from chart.rendering import ROOT
from stack.apt import cache_home

REQUIREMENTS = ROOT / "requirements" / "checkov.txt"
INSTALL_SECONDS = 300


def checkov_command() -> tuple[str, ...]:
    """Return the command, installing what is pinned when it is not there yet."""
    digest = hashlib.sha256(REQUIREMENTS.read_bytes() + sys.version.encode()).hexdigest()[:12]
    home = cache_home() / f"checkov-{digest}"
    home.parent.mkdir(parents=True, exist_ok=True)
    with home.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not home.exists():
            _install(home)
    return str(home / "bin" / "python"), "-m", "checkov.main"


def _install(home: Path) -> None:
    uv = str(Path(sys.executable).with_name("uv"))
    work = Path(tempfile.mkdtemp(prefix=f"{home.name}-", dir=home.parent))
    try:
        # relocatable, for only the rename at the end makes it visible
        _run([uv, "venv", "--quiet", "--relocatable", "--python", sys.executable, str(work / "v")])
        python = str(work / "v" / "bin" / "python")
        _run(
            [uv, "pip", "install", "--quiet", "--python", python, "--require-hashes", "-r", str(REQUIREMENTS)]
        )
        (work / "v").rename(home)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _run(argv: list[str]) -> None:
    subprocess.run(argv, check=True, timeout=INSTALL_SECONDS)
