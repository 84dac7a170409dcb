"""The processes of the pool have no part in the connections that the worker receives over."""

import os
import signal
import time
from collections.abc import Mapping

import psutil

from tests.stack.worker.conftest import StartWorker
from tests.stack.worker.processes import OwnWorker
from tests.stack.worker.receiver import wait_until


def redis_connections(pid: int, port: int) -> set[int]:
    """Return the worker's ports that lead to Redis."""
    connections = psutil.Process(pid).net_connections("tcp")
    return {one.laddr.port for one in connections if one.status == "ESTABLISHED" and one.raddr.port == port}


def child_other_than(worker: OwnWorker, old: int) -> int | None:
    return next((pid for pid in worker.children() if pid != old), None)


def test_a_process_forked_later_shares_no_connection_to_redis(
    environment: Mapping[str, str], start_worker: StartWorker
) -> None:
    worker, port = start_worker(), int(environment["REDIS_PORT"])
    (first,) = worker.children()
    os.kill(first, signal.SIGKILL)
    wait_until(lambda: child_other_than(worker, first), "the pool replaces its process", 30)
    time.sleep(1)  # it closes what it has inherited as soon as it begins
    (second,) = worker.children()

    parents = redis_connections(worker.pid, port)

    assert parents
    assert not parents & redis_connections(second, port)
