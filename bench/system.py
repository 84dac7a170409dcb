"""The system that is measured: a stack of its own, with all settings as they come."""

import os
import shutil
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bench.api import Api
from bench.generators.process import Generator
from bench.ledger import Ledger
from bench.machine import usable_cores
from bench.processes import take_snapshot
from bench.usage import Snapshot
from stack import sessions
from stack.disposable import clear_abandoned_runs
from stack.packages import Daemons
from stack.ports import free_ports
from stack.supervisor import ROOT, Stack, StackConfig

RUNS = ROOT / ".cache" / "bench"
FAILURE_LOG = ROOT / ".cache" / "bench-failure.log"
WORKERS = ("worker-1", "worker-2")
START_SECONDS = 240
# What a worker had asked for at that moment has come by then.
HOLD_SECONDS = 2.5
# Request log and publication marks are written in batches; their work belongs to the run before.
SETTLE_SECONDS = 1.5
DRAIN_SECONDS = 60
SLOWEST_TASKS_PER_SECOND = 10
WARM_UP_TASKS = 200


class System:
    """Measures from outside: processes and HTTP."""

    def __init__(self, stack: Stack) -> None:
        self.stack = stack
        self.port = stack.ports["http"]
        self.ledger = Ledger(Api(self.port))
        self.cores = usable_cores()
        self.at_start = self.snapshot()

    def snapshot(self) -> Snapshot:
        return take_snapshot(self.stack.directory)

    def warm_up(self, tasks: int = WARM_UP_TASKS) -> None:
        """Fill the pools of connections and every process's caches."""
        path = f"/api/users/{self.ledger.new_user()}/create-product"
        with Generator("closed_loop", self.port, path, "--count", tasks) as generator:
            generator.run(DRAIN_SECONDS)
        self.drain(tasks)

    def drain(self, tasks: int) -> None:
        """Wait until all is done and written."""
        self.ledger.wait_until_finished(DRAIN_SECONDS + tasks / SLOWEST_TASKS_PER_SECOND)
        self.settle()

    def settle(self) -> None:
        time.sleep(SETTLE_SECONDS)

    @contextmanager
    def held_workers(self) -> Iterator[None]:
        """Keep the running workers loaded and connected, but let them take nothing."""
        parts = [self.stack.service(name) for name in WORKERS]
        alive = [part for part in parts if sessions.identify(part.pid)]
        for part in alive:
            part.freeze()
        try:
            time.sleep(HOLD_SECONDS)
            yield
        finally:
            for part in alive:
                part.thaw()

    @contextmanager
    def without(self, name: str) -> Iterator[None]:
        """Run with one part less, and bring it back."""
        part = self.stack.service(name)
        part.pause_restart()
        part.kill_session()
        try:
            yield
        finally:
            part.resume_restart()
        part.wait_ready(60)


@contextmanager
def running_system(daemons: Daemons, parts: Sequence[str] = ()) -> Iterator[System]:
    """Start a stack in a directory of its own; whatever happens, all that is left is the log of a failure."""
    clear_abandoned_runs(RUNS)
    directory = RUNS / str(os.getpid())
    stack = Stack(StackConfig(directory, free_ports(), daemons, parts=tuple(parts), disposable=True))
    try:
        stack.start(START_SECONDS)
        yield System(stack)
    except Exception as error:
        if (log := directory / "log").exists():
            shutil.copy(log, FAILURE_LOG)
            error.add_note(f"the system's log: {FAILURE_LOG}")
        raise
    finally:
        stack.stop()
        shutil.rmtree(directory, ignore_errors=True)
