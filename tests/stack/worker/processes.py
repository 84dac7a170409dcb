"""Workers and relays that a test starts for itself, to end them as it likes."""

import json
import os
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

import psutil

from stack.ports import can_bind, free_ports

ROOT = Path(__file__).resolve().parents[3]


def free_port() -> int:
    return next(iter(free_ports(can_bind).values()))


class OwnProcess:
    """A process with its log; whatever is left of it at the end is killed."""

    def __init__(
        self, module: str, environment: Mapping[str, str], folder: Path, enter: tuple[str, ...] = ()
    ) -> None:
        self._log_path = folder / f"{module}-{time.monotonic_ns()}.log"
        self._log = self._log_path.open("wb")
        self._popen = subprocess.Popen(
            [*enter, sys.executable, "-m", module],
            cwd=ROOT,
            env={**os.environ, **environment},
            stdout=self._log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        self.pid = self._popen.pid

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        children = self.children()
        self._popen.kill()
        self._popen.wait(10)
        psutil.wait_procs([psutil.Process(pid) for pid in children if psutil.pid_exists(pid)], timeout=10)
        self._log.close()

    def children(self) -> list[int]:
        try:
            return [child.pid for child in psutil.Process(self.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def kill(self) -> None:
        self._popen.kill()
        self._popen.wait(10)

    def terminate(self, deadline_seconds: float = 30) -> int:
        """End the process in order; returns its exit code."""
        self._popen.send_signal(signal.SIGTERM)
        return self._popen.wait(deadline_seconds)

    def wait(self, deadline_seconds: float = 30) -> int:
        return self._popen.wait(deadline_seconds)

    @property
    def is_running(self) -> bool:
        return self._popen.poll() is None

    def text(self) -> str:
        return self._log_path.read_text(encoding="utf-8")

    def events(self) -> list[dict[str, Any]]:
        """Return the lines of the log, which are all JSON."""
        return [json.loads(line) for line in self.text().splitlines()]


class OwnWorker(OwnProcess):
    """A worker of one process unless the environment says otherwise."""

    def __init__(self, environment: Mapping[str, str], folder: Path, name: str = "own-worker") -> None:
        self.port = free_port()
        self.name = name
        self.ready_file, self.heartbeat_file = folder / f"{name}.ready", folder / f"{name}.heartbeat"
        self.ready_file.unlink(missing_ok=True)
        own = {
            "REPLICA_NAME": name,
            "WORKER_METRICS_PORT": str(self.port),
            "WORKER_READY_FILE": str(self.ready_file),
            "WORKER_HEARTBEAT_FILE": str(self.heartbeat_file),
            "LOG_FORMAT": "json",
            "TMPDIR": str(folder),
        }
        super().__init__("worker", {"WORKER_CONCURRENCY": "1", **environment, **own}, folder)

    def wait_ready(self, deadline_seconds: float = 60) -> Self:
        deadline = time.monotonic() + deadline_seconds
        while not self.ready_file.exists():
            if not self.is_running or time.monotonic() > deadline:
                raise AssertionError(f"the worker is not ready; its log:\n{self.text()}")
            time.sleep(0.05)
        return self

    def metric(self, name: str, **labels: str) -> float:
        """Return the sum of a metric's samples with these labels."""
        url = f"http://127.0.0.1:{self.port}/metrics"
        with urllib.request.urlopen(url, timeout=5) as answer:
            lines = answer.read().decode().splitlines()
        wanted = [f'{label}="{value}"' for label, value in labels.items()]
        return sum(
            float(line.rpartition(" ")[2])
            for line in lines
            if line.partition("{")[0].partition(" ")[0] == name and all(text in line for text in wanted)
        )
