"""The system that is hurt: a stack of its own whose MySQL members have a network of their own."""

import json
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2 as httpx

from stack.disposable import clear_abandoned_runs
from stack.packages import Daemons
from stack.ports import free_ports
from stack.supervisor import ROOT, Stack, StackConfig
from tests.failover.books import prepare, read_books
from tests.failover.journal import pauses, refused_seconds
from tests.failover.load import Load
from tests.failover.network import Network, leave_the_hosts_namespaces, mount_small_disk, obstacle
from tests.failover.verdict import Expected, count_lost, judge
from tests.stack.mysql_group import ORDINALS, Group, handover_directory
from tests.stack.waiting import wait_until

RUNS = ROOT / ".cache" / "failover"
FAILURE_LOG = ROOT / ".cache" / "failover-failure.log"
PARTS = ("api", "worker", "relay")
START_SECONDS = 240
COMPLETE_SECONDS = 240.0
SMALL_DISK = 2  # the ordinal of the member whose disk can be filled
SETTINGS = {"RELAY_INTERVAL_SECONDS": "0.2"}
NOTHING_UNUSUAL = Expected()


@dataclass(frozen=True)
class Outcome:
    """What one case cost, and which promises it broke."""

    case: str
    longest_pause: float
    pause_meanwhile: float  # began before the case was over: not while members came back
    refused_seconds: float
    whole_after: float  # from the end of the case until all members served again
    refused: int
    slowest_write: float
    written: int
    reads: int
    read_back: int
    lost: int
    broken: tuple[str, ...]

    def __str__(self) -> str:
        costs = [
            f"no writes for {self.longest_pause:.1f} s, refused for {self.refused_seconds:.1f} s",
            f"whole again after {self.whole_after:.1f} s",
            f"{self.written} writes kept, {self.refused} refused, slowest {self.slowest_write:.1f} s",
            f"{self.reads} reads, {self.read_back} of them of the client's own write",
        ]
        return f"{self.case}: {'; '.join(costs)}"


class System:
    """A running stack, its MySQL group and what came of each case."""

    def __init__(self, stack: Stack, network: Network | None) -> None:
        self.stack = stack
        self.group = Group(stack)
        self._network = network
        self.outcomes: list[Outcome] = []

    @property
    def network(self) -> Network:
        assert self._network, obstacle()
        return self._network

    @contextmanager
    def under_load(self, case: str, expected: Expected = NOTHING_UNUSUAL) -> Iterator[Load]:
        """Let clients work while something is done to the system; then judge what they were promised.

        Raises:
            AssertionError: a promise was broken, or the system did not recover.
        """
        self.group.wait_complete(COMPLETE_SECONDS)
        prepare(self.group)
        load = Load(self.group, self._user())
        load.start()
        try:
            wait_until(
                lambda: load.journal.acknowledged_after(0) > 30 and load.journal.read_back, "clients work"
            )
            began = time.monotonic()
            yield load
            ended = time.monotonic()
            whole_after = self.group.wait_complete(COMPLETE_SECONDS)
            now = time.monotonic()
            wait_until(lambda: load.journal.acknowledged_after(now) > 20, "writes go on", 60)
        finally:
            load.stop()
        self._judge(case, load, expected, (began, ended), whole_after)

    def _judge(
        self, case: str, load: Load, expected: Expected, period: tuple[float, float], whole_after: float
    ) -> None:
        journal = load.journal
        books = read_books(self.group, load.mark)
        broken = judge(journal, books, expected)
        done = len(journal.acknowledged()) + len(journal.users) + len(journal.tasks)
        outcome = Outcome(
            case,
            max(pauses(journal, period[0]), default=0.0),
            max(pauses(journal, *period), default=0.0),
            refused_seconds(journal, period[0]),
            whole_after,
            refused=sum(one.status == httpx.codes.SERVICE_UNAVAILABLE for one in journal.writes),
            slowest_write=max(one.seconds for one in journal.writes),
            written=done,
            reads=len(journal.reads),
            read_back=journal.read_back,
            lost=count_lost(journal, books),
            broken=tuple(broken),
        )
        self.outcomes.append(outcome)
        assert not broken, "\n".join(
            ["promises were broken:", *broken, *unforeseen(self.stack), str(outcome)]
        )

    def _user(self) -> int:
        """Return a user whom products can be made for."""
        body = {"name": "Failover", "email": f"failover-{time.time_ns()}@example.com"}
        answer = httpx.post(f"{self.stack.url}/api/users", json=body, timeout=30)
        assert answer.status_code == httpx.codes.CREATED, f"no user could be made: {answer.text[:300]}"
        return int(answer.json()["id"])


@contextmanager
def running_system(daemons: Daemons) -> Iterator[System]:
    """Start a system; whatever happens, all that is left is its log."""
    clear_abandoned_runs(RUNS)
    directory = RUNS / str(os.getpid())
    network = None
    if not obstacle():
        leave_the_hosts_namespaces()
        mount_small_disk(directory / f"mysql-{SMALL_DISK}" / "data")
        network = Network(f"mysql-{ordinal}" for ordinal in ORDINALS)
    overrides = dict.fromkeys(PARTS, SETTINGS) | {
        f"agent-{ordinal}": {"MYSQL_AGENT_HANDOVER_DIRECTORY": str(handover_directory(directory, ordinal))}
        for ordinal in ORDINALS
    }
    places = network.places if network else {}
    config = StackConfig(directory, free_ports(), daemons, overrides, PARTS, places=places, disposable=True)
    stack = Stack(config)
    try:
        stack.start(START_SECONDS)
        yield System(stack, network)
    finally:
        stack.stop()
        if network:
            network.close()
        _keep_log(stack)
        shutil.rmtree(directory, ignore_errors=True)


def unforeseen(stack: Stack) -> list[str]:
    """Return what the API did not foresee, each once: where CI runs, the log is lost with the machine."""
    lines = (stack.directory / "log").read_text(encoding="utf-8").splitlines()
    failed = [json.loads(line.partition(" | ")[2]) for line in lines if '"event": "request failed"' in line]
    return sorted({f"{one['process']}: {one['exception'].splitlines()[-1]}" for one in failed})


def _keep_log(stack: Stack) -> None:
    parts = [path for path in (stack.directory / "log.1", stack.directory / "log") if path.exists()]
    FAILURE_LOG.write_bytes(b"".join(path.read_bytes() for path in parts))
