"""The initialisation of a data directory, run as the stack runs it."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from stack.supervisor import ROOT


def initialise(environment: dict[str, str]) -> str:
    """Run the initialisation to its end and return its log."""
    with initialising(environment) as process:
        output, _ = process.communicate(timeout=120)
    assert process.returncode == 0, output
    return output


@contextmanager
def initialising(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    with subprocess.Popen(
        [sys.executable, "-m", "mysql_agent.initialize"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        yield process
