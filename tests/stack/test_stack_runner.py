"""One service's life with real processes: death, restart, what it leaves behind."""

import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from stack.log import Log
from stack.probes import ExitProbe, FileProbe, Probe
from stack.runner import Runner
from stack.service import Service

READY_LINE = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); "


@dataclass
class Bench:
    """Starts runners and remembers what they report."""

    folder: Path
    log: Log
    failures: list[str] = field(default_factory=list)
    runners: list[Runner] = field(default_factory=list)

    def run(
        self,
        name: str,
        program: str,
        ready: Probe | None = None,
        *,
        once: bool = False,
        after: tuple[Runner, ...] = (),
    ) -> Runner:
        flag = self.folder / f"{name}.ready"
        service = Service(
            name,
            (sys.executable, "-c", program, str(flag)),
            ready or FileProbe(flag, None),
            needs=tuple(runner.service.name for runner in after),
            once=once,
            deadline_seconds=5,
            grace_seconds=2,
            stale_files=(flag,),
        )
        runner = Runner(
            service,
            env=dict(os.environ),
            folder=self.folder,
            log=self.log,
            outlived_by=after,
            on_change=lambda: None,
            on_failure=self.failures.append,
        )
        self.runners.append(runner)
        runner.start()
        return runner


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, Log(tmp_path / "log"))
    yield bench
    for runner in bench.runners:
        runner.order_stop()
    for runner in bench.runners:
        assert runner.stopped.wait(10), f"{runner.service.name} did not stop"
        runner.join()
    bench.log.close()


def eventually(what: str, condition: Callable[[], object], seconds: float = 5) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"after {seconds} s still not so: {what}"
        time.sleep(0.02)


def pid(runner: Runner) -> int:
    assert runner.process is not None
    return runner.process.pid


def test_a_killed_service_is_started_again(bench: Bench) -> None:
    runner = bench.run("sleeper", READY_LINE + "time.sleep(60)")
    assert runner.ready.wait(5)
    first = pid(runner)
    os.kill(first, signal.SIGKILL)
    eventually("a new process is ready", lambda: pid(runner) != first and runner.state.condition == "ready")
    assert runner.state.restarts == 1
    assert "sleeper was ended by SIGKILL; restart in 0.2 s" in bench.log.tail("stack", 1)[0]


def test_a_dead_service_takes_its_children_with_it(bench: Bench) -> None:
    child = "import subprocess; child = subprocess.Popen(['sleep', '60']); print(child.pid, flush=True); "
    runner = bench.run("parent", child + READY_LINE + "time.sleep(60)")
    assert runner.ready.wait(5)
    orphan = int(bench.log.tail("parent", 1)[0])
    assert psutil.pid_exists(orphan)
    os.kill(pid(runner), signal.SIGKILL)
    eventually("the orphan has ended", lambda: not psutil.pid_exists(orphan))


def test_a_service_waits_for_what_it_needs(bench: Bench) -> None:
    first = bench.run("first", "import time; time.sleep(0.5)", ExitProbe(), once=True)
    second = bench.run("second", READY_LINE + "time.sleep(60)", after=(first,))
    time.sleep(0.2)
    assert second.state.condition == "waiting"
    assert second.ready.wait(5)
    assert first.state.condition == "done"


def test_a_service_that_dies_before_it_is_ready_is_named_with_its_last_lines(bench: Bench) -> None:
    bench.run("broken", "import sys; print('the disk is on fire'); sys.exit(3)")
    eventually("the failure is reported", lambda: bench.failures)
    assert bench.failures[0] == "broken ended with exit code 3\nits last lines:\n  the disk is on fire"


def test_a_service_that_is_not_ready_in_time_is_named_with_what_was_awaited(bench: Bench) -> None:
    runner = bench.run("slow", "import time; time.sleep(60)")
    eventually("the failure is reported", lambda: bench.failures, seconds=8)
    assert "slow was not ready after 5 s: slow.ready exists (no such file)" in bench.failures[0]
    assert runner.state.condition == "failed"


def test_a_part_that_is_kept_down_returns_when_it_may(bench: Bench) -> None:
    runner = bench.run("sleeper", READY_LINE + "time.sleep(60)")
    assert runner.ready.wait(5)
    runner.pause_restart()
    os.kill(pid(runner), signal.SIGKILL)
    eventually("it is down", lambda: runner.state.condition == "down")
    runner.resume_restart()
    eventually("it is ready again", lambda: runner.state.condition == "ready")


def test_a_service_that_ignores_sigterm_is_killed_after_its_grace_period(bench: Bench) -> None:
    runner = bench.run(
        "stubborn", "import signal; signal.signal(15, signal.SIG_IGN); " + READY_LINE + "time.sleep(60)"
    )
    assert runner.ready.wait(5)
    started = time.monotonic()
    runner.order_stop()
    assert runner.stopped.wait(10)
    assert 1.9 < time.monotonic() - started < 4
    assert not psutil.pid_exists(pid(runner))


def test_what_is_needed_stops_after_what_needs_it(bench: Bench) -> None:
    note = "import signal, sys; signal.signal(15, lambda *_: (print('bye', flush=True), sys.exit())); "
    base = bench.run("base", note + READY_LINE + "time.sleep(60)")
    user = bench.run("user", note + READY_LINE + "time.sleep(60)", after=(base,))
    assert user.ready.wait(5)
    base.order_stop()
    assert not base.stopped.wait(0.3)
    user.order_stop()
    assert base.stopped.wait(5)
    lines = (bench.folder / "log").read_text().splitlines()
    assert [line.split()[1] for line in lines if line.endswith("bye")] == ["user", "base"]
