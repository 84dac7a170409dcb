"""Processes that a contest starts, each in a session of its own."""

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from bench.failure import BenchError
from stack import sessions
from stack.process import inherited_environment

END_SECONDS = 10
RUN_SECONDS = 120
NOWHERE = Path("/dev/null")


class Program(NamedTuple):
    """How a process is started."""

    argv: Sequence[str]
    env: Mapping[str, str]
    folder: Path


@contextmanager
def running(programs: Sequence[Program], log: Path) -> Iterator[list[sessions.Identity]]:
    """Run programs until the end of the block, then kill them with all their children."""
    started: list[subprocess.Popen[bytes]] = []
    try:
        with log.open("ab") as output:
            started += [_start(program, output.fileno()) for program in programs]
        yield [_identity(process) for process in started]
    finally:
        for process in started:
            sessions.kill_session(_identity(process))
            process.wait(END_SECONDS)


def run(program: Program) -> None:
    """Run a program to its end; what it prints on stdout is lost.

    Raises:
        BenchError: it failed, or takes too long.
    """
    try:
        subprocess.run(
            program.argv,
            cwd=program.folder,
            env={**inherited_environment(), **program.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            timeout=RUN_SECONDS,
            check=True,
        )
    except subprocess.SubprocessError as error:
        raise BenchError(f"{error}, see above") from error


def _start(program: Program, output: int) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        program.argv,
        cwd=program.folder,
        env={**inherited_environment(), **program.env},
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


def _identity(process: "subprocess.Popen[bytes]") -> sessions.Identity:
    # a process that was not waited for keeps its entry
    return sessions.identify(process.pid) or sessions.Identity(process.pid, 0.0)
