"""The system that is hurt: a stack of its own, whose application reaches Redis and MySQL through proxies."""

import os
import shutil
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import httpx2 as httpx

from stack.disposable import clear_abandoned_runs
from stack.packages import Daemons
from stack.ports import Ports, free_ports
from stack.supervisor import ROOT, Stack, StackConfig
from stack.topology import services
from tests.chaos.plan import CLIENTS
from tests.chaos.proxy import Proxies
from tests.chaos.stock.topology import stock_services
from tests.stack.mysql_group import Group

if TYPE_CHECKING:
    from pymysql.cursors import Cursor

RUNS = ROOT / ".cache" / "chaos"
FAILURE_LOG = ROOT / ".cache" / "chaos-failure.log"
START_SECONDS = 240
TARGETS = ("redis", "mysql-primary", "mysql-replicas")
# Short, so that a run sees the end of every one of them many times.
SETTINGS = {
    "TASK_LEASE_SECONDS": "3",
    "TASK_RETRY_DELAY_SECONDS": "1",
    "TASK_REDELIVERY_SECONDS": "3",
    "WORKER_SOFT_SHUTDOWN_SECONDS": "2",
    "VISIBILITY_TIMEOUT_SECONDS": "10",
    "RELAY_INTERVAL_SECONDS": "0.2",
    "DB_READ_TIMEOUT_SECONDS": "4",
}
USER_SECONDS = 60.0


class System:
    """A running stack, its MySQL group and its proxies."""

    def __init__(self, stack: Stack, proxies: Proxies, *, stock: bool) -> None:
        self.stack = stack
        self.proxies = proxies
        self.stock = stock
        self.group = Group(stack)
        self.port = stack.ports["http"]

    def admin(self) -> AbstractContextManager["Cursor"]:
        """Return a cursor's context manager on the primary, past the proxies."""
        return self.group.session("mysql-primary")

    def database(self) -> str:
        return self.stack.env_for("mysql-init-0")["DB_NAME"]

    def user(self) -> int:
        """Return a user whom products can be made for."""
        if self.stock:
            return 1  # one of those for demonstrations
        deadline = time.monotonic() + USER_SECONDS
        while True:
            body = {"name": "Chaos", "email": f"chaos-{time.time_ns()}@example.com"}
            answer = httpx.post(f"{self.stack.url}/api/users", json=body, timeout=10)
            if answer.status_code == httpx.codes.CREATED:
                return int(answer.json()["id"])
            if time.monotonic() > deadline:
                raise RuntimeError(f"no user could be made: {answer.status_code} {answer.text[:300]}")
            time.sleep(1)


@contextmanager
def running_system(daemons: Daemons, *, stock: bool = False) -> Iterator[System]:
    """Start a system; whatever happens, all that is left is the log of a failure."""
    clear_abandoned_runs(RUNS)
    directory = RUNS / str(os.getpid())
    ports = free_ports()
    proxies = Proxies(
        {f"{client}-{target}": ports[target] for client in CLIENTS for target in TARGETS},
    )
    stack = Stack(_configure(directory, ports, daemons, proxies, stock=stock))
    try:
        proxies.start()
        stack.start(START_SECONDS)
        yield System(stack, proxies, stock=stock)
    except BaseException:
        keep_log(directory)
        raise
    finally:
        stack.stop()
        proxies.stop()
        shutil.rmtree(directory, ignore_errors=True)


def keep_log(directory: Path) -> None:
    """Save what the parts said before the directory goes."""
    parts = [path for path in (directory / "log.1", directory / "log") if path.exists()]
    FAILURE_LOG.write_bytes(b"".join(path.read_bytes() for path in parts))


def _configure(
    directory: Path, ports: Ports, daemons: Daemons, proxies: Proxies, *, stock: bool
) -> StackConfig:
    overrides = {client: {**SETTINGS, **_endpoints(client, proxies)} for client in CLIENTS}
    return StackConfig(
        directory,
        ports,
        daemons,
        overrides,
        parts=("api", "worker") if stock else CLIENTS,
        arrange=stock_services if stock else services,
        disposable=True,
    )


def _endpoints(client: str, proxies: Proxies) -> dict[str, str]:
    primary, replicas = (
        f"127.0.0.1:{proxies.ports[f'{client}-mysql-{role}']}" for role in ("primary", "replicas")
    )
    return {
        "REDIS_PORT": str(proxies.ports[f"{client}-redis"]),
        "DB_MASTER_HOST": primary,
        "DB_SLAVE1_HOST": replicas,
        "DB_SLAVE2_HOST": replicas,
    }
