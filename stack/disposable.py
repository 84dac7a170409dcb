"""Stacks that exist for one run of tests or measurements, each in a directory of its own."""

import shutil
from pathlib import Path

from stack import sessions
from stack.state import read_state
from stack.supervisor import clear_leftovers


def clear_abandoned_runs(runs: Path) -> None:
    """End what an earlier run left that was killed itself; a run that lives is left alone."""
    for directory in runs.glob("*"):
        state = read_state(directory)
        if state is None or not sessions.is_alive(state.supervisor):
            clear_leftovers(directory, grace_seconds=1)
            shutil.rmtree(directory, ignore_errors=True)
