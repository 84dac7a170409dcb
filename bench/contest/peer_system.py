"""The peers at work: a Redis, a proxy, a database and three API processes for each."""

import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.api import Api
from bench.contest.contender import WORKER, Contender
from bench.contest.database import Database
from bench.contest.environments import programs_of
from bench.contest.programs import Program, running
from bench.contest.proxy import configuration
from bench.failure import BenchError
from bench.peers.catalogue import Peer
from bench.processes import session_usage
from bench.redis_server import RedisServer
from bench.usage import Usage
from stack import sessions
from stack.packages import Daemons
from stack.ports import can_bind, free_ports
from stack.supervisor import ROOT

APPLICATIONS = ROOT / "bench" / "peers"
API_PROCESSES = 3
START_SECONDS = 60
POLL_SECONDS = 0.2
GROUPS = {
    WORKER: "worker",
    "peer api": "API",
    "peer redis": "Redis",
    "mysqld": "mysqld",
    "haproxy": "HAProxy",
    "peer haproxy": "HAProxy",
}


@contextmanager
def contending(
    peers: Sequence[Peer], daemons: Daemons, database: Database, recovery_seconds: int | None = None
) -> Iterator[list[Contender]]:
    """Start the peers' APIs; their workers start and end with each turn."""
    ports = iter(free_ports(can_bind).values())
    fronts = {next(ports): [next(ports) for _ in range(API_PROCESSES)] for _ in peers}
    with ExitStack() as opened:
        folder = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix="conveyor-bench-")))
        queue = opened.enter_context(RedisServer(daemons.argv["redis-server"], folder))
        proxy = opened.enter_context(running([_proxy(folder, fronts, daemons)], folder / "log"))
        shared = {"peer redis": [queue.identity], "peer haproxy": proxy}
        contenders = []
        for peer, (front, servers) in zip(peers, fronts.items(), strict=True):
            start = _Start(peer, database, queue.port, recovery_seconds)
            apis = opened.enter_context(running(start.apis(servers), folder / "log"))
            contenders.append(start.contender(front, queue, {**shared, "peer api": apis}))
        for contender in contenders:
            _wait_until_answering(contender, folder / "log")
        yield contenders


class _Start:
    """What one peer's processes are started with."""

    def __init__(self, peer: Peer, database: Database, queue_port: int, recovery_seconds: int | None) -> None:
        self._peer = peer
        self._table = f"products_{peer.name}"
        self._bin = programs_of(peer.name)
        self._env = {
            **database.environment,
            "MYSQL_TABLE": self._table,
            "QUEUE_URL": f"redis://127.0.0.1:{queue_port}/0",
            "RECOVERY_SECONDS": str(recovery_seconds or ""),
            "PYTHONPATH": str(APPLICATIONS / "products"),
        }
        database.create(self._table)

    def apis(self, ports: Sequence[int]) -> list[Program]:
        options = ("--host", "127.0.0.1", "--no-access-log", "--log-level", "warning", "--port")
        return [self._program(["uvicorn", "api:app", *options, str(port)]) for port in ports]

    def workers(self, processes: int) -> list[Program]:
        return [self._program(command) for command in self._peer.commands(processes)]

    def contender(
        self, port: int, queue: RedisServer, serving: Mapping[str, Sequence[sessions.Identity]]
    ) -> Contender:
        return Contender(
            self._peer.name,
            self._peer.parallel,
            port,
            self._table,
            queue.client,
            self.workers,
            lambda: usages(serving),
            GROUPS,
        )

    def _program(self, command: Sequence[str]) -> Program:
        name, *arguments = command
        return Program([str(self._bin / name), *arguments], self._env, APPLICATIONS / self._peer.name)


def usages(groups: Mapping[str, Sequence[sessions.Identity]]) -> dict[str, Usage]:
    """Return what processes have used so far, each by a name of its own."""
    return {
        f"{group} {number}": session_usage(group, identity)
        for group, identities in groups.items()
        for number, identity in enumerate(identities)
    }


def _proxy(folder: Path, fronts: Mapping[int, Sequence[int]], daemons: Daemons) -> Program:
    file = folder / "haproxy.cfg"
    file.write_text(configuration(fronts), encoding="utf-8")
    return Program([*daemons.argv["haproxy"], "-db", "-f", str(file)], {}, folder)


def _wait_until_answering(contender: Contender, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            Api(contender.port).get("/healthz")
        except BenchError as error:
            if time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise BenchError(f"the API of {contender.name}: {error}\n{said}") from error
            time.sleep(POLL_SECONDS)
        else:
            return
