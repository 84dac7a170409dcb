"""What the figures were measured on."""

import os
import platform
import re
import statistics
import subprocess
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psutil

from stack.packages import Daemons
from stack.supervisor import ROOT

VERSION_SECONDS = 10
VERSION = re.compile(r"(?:\bVer |\bv=|\bversion )(\d[\w.]*)")
MEASURED, LOAD = "measured", "load average before the start"
SYNCS = 50
BLOCK = b"\0" * 4096


def describe_machine(daemons: Daemons, disk: Path) -> list[tuple[str, str]]:
    """Return names and values; `disk` is where the data lies."""
    versions = [f"{name} {daemon_version(argv, name)}" for name, argv in daemons.argv.items()]
    load = " ".join(f"{value:.1f}" for value in os.getloadavg())
    return [
        ("cores", f"{usable_cores()} of {cpu_model()}"),
        ("memory", f"{psutil.virtual_memory().total / 2**30:.0f} GiB"),
        ("disk", f"write and sync of 4 KiB: {sync_milliseconds(disk):.2f} ms (median of {SYNCS})"),
        ("system", f"{platform.system()} {platform.release()}, {platform.machine()}"),
        ("Python", platform.python_version()),
        ("daemons", ", ".join(versions)),
        (MEASURED, f"{datetime.now(UTC):%Y-%m-%d}, commit {commit()}"),
        (LOAD, load),
    ]


def commit() -> str:
    """Return what is measured; without git nobody knows."""
    command = ["git", "describe", "--always", "--dirty"]
    try:
        answer = subprocess.run(
            command, cwd=ROOT, capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
        )
    except FileNotFoundError:
        return "unknown"
    return answer.stdout.strip() or "unknown"


def usable_cores() -> int:
    # macOS cannot bind processes to cores
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except FileNotFoundError:  # not Linux
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def daemon_version(argv: Sequence[str], name: str) -> str:
    option = "-v" if name == "haproxy" else "--version"
    answer = subprocess.run(
        [*argv, option], capture_output=True, text=True, timeout=VERSION_SECONDS, check=False
    )
    return parse_version(answer.stdout + answer.stderr)


def parse_version(output: str) -> str:
    match = VERSION.search(output)
    return match[1] if match else "of unknown version"


def sync_milliseconds(folder: Path) -> float:
    """Return what each commit waits for at least, on each member."""
    folder.mkdir(parents=True, exist_ok=True)
    samples = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(SYNCS):
            started = time.perf_counter()
            file.write(BLOCK)
            file.flush()
            os.fsync(file.fileno())
            samples.append((time.perf_counter() - started) * 1000)
    return statistics.median(samples)
