"""Starts a generator and lets it begin at a chosen moment."""

import json
import subprocess
import sys
from types import TracebackType
from typing import Any, Self

from bench.failure import BenchError
from bench.generators.start_line import READY
from bench.usage import Usage
from stack.supervisor import ROOT

GROUP = "load generator"


class Generator:
    """A context: entered, it has loaded and connected; `run` makes it send."""

    def __init__(self, module: str, *arguments: object) -> None:
        self._argv = (sys.executable, "-m", f"bench.generators.{module}", *map(str, arguments))

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._argv, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        # bounded: connecting has a time limit, and the end of the process ends the line
        said = self._process.stdout.readline() if self._process.stdout else ""
        if said.strip() != READY:
            raise BenchError(f"the load generator did not start, see above: {' '.join(self._argv[2:])}")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait(timeout=10)

    def run(self, deadline_seconds: float) -> dict[str, Any]:
        """Return what the generator measured."""
        try:
            output, _ = self._process.communicate("\n", timeout=deadline_seconds)
        except subprocess.TimeoutExpired:
            raise BenchError(f"the load generator had not ended after {deadline_seconds:.0f} s") from None
        if self._process.returncode:
            raise BenchError(f"the load generator failed, see above: {' '.join(self._argv[2:])}")
        result: dict[str, Any] = json.loads(output)
        return result


def usage_of(result: dict[str, Any]) -> dict[str, Usage]:
    """Return the generator's own CPU time as one of the processes of a run."""
    return {GROUP: Usage(GROUP, 0, 1, result["cpu_seconds"])}
