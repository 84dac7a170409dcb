"""What surrounds the application: HAProxy's rules, Prometheus' targets, the supervision of the whole."""

import base64
import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import httpx2 as httpx
import psutil
import pytest

from stack import sessions
from stack.probes import RotationProbe
from stack.supervisor import ROOT, Stack
from tests.stack.waiting import wait_until


@pytest.mark.parametrize(
    "path", ["/metrics", "/%6detrics", "//metrics", "/flower/metrics", "/flower//metrics/"]
)
def test_metrics_are_forbidden_at_the_front(stack: Stack, path: str) -> None:
    assert httpx.get(stack.url + path, timeout=5).status_code == 403


def test_flower_asks_for_a_password(stack: Stack, api: httpx.Client) -> None:
    assert api.get("/flower/").status_code == 401
    credentials = base64.b64encode(stack.env_for("flower")["FLOWER_BASIC_AUTH"].encode()).decode()
    assert api.get("/flower/", headers={"Authorization": f"Basic {credentials}"}).status_code == 200


def test_prometheus_reaches_every_process(stack: Stack) -> None:
    def targets() -> dict[str, str]:
        answer = httpx.get(f"http://127.0.0.1:{stack.ports['prometheus']}/api/v1/targets", timeout=5)
        active = answer.json()["data"]["activeTargets"]
        return {
            target["labels"]["part"]: f"{target['health']} {target['lastError']}".strip() for target in active
        }

    wait_until(lambda: set(targets().values()) == {"up"}, "every target is up")
    assert len(targets()) == 13
    page = httpx.get(f"http://127.0.0.1:{stack.ports['prometheus']}/consoles/conveyor.html", timeout=5).text
    assert page.count("✓ up") == 13


def test_mysql_can_be_asked_without_a_program_or_password_of_ones_own(stack: Stack) -> None:
    asked = [sys.executable, "-m", "stack", "client", "mysql", "--skip-column-names"]
    answer = subprocess.run(
        [*asked, "--execute", "SELECT CURRENT_USER(), DATABASE()"],
        cwd=ROOT,
        env=os.environ | {"CONVEYOR_STATE_DIR": str(stack.directory)},
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert answer.stdout == "conveyor@%\tloadbalancer_db\n"


def test_requests_are_spread_over_the_replicas(stack: Stack, api: httpx.Client) -> None:
    replicas = ("api-1", "api-2", "api-3")
    probes = [RotationProbe(stack.ports["haproxy-stats"], "api", name) for name in replicas]
    wait_until(lambda: all(probe.check() is None for probe in probes), "all replicas are in rotation")
    assert {api.get("/healthz").headers["X-Served-By"] for _ in range(12)} == set(replicas)


def test_a_replica_leaves_the_rotation_before_it_ends(stack: Stack) -> None:
    seen = RotationProbe(stack.ports["haproxy-stats"], "api", "api-3")
    with ThreadPoolExecutor() as threads:
        restarted = threads.submit(stack.restart, "api-3")
        wait_until(lambda: (seen.check() or "").startswith("NOLB"), "HAProxy sends nothing new to it")
        restarted.result()


def test_a_killed_replica_costs_no_read_but_those_it_was_answering(stack: Stack) -> None:
    """A read that the dying replica had taken is asked again of another one.

    Unless its answer had begun, or HAProxy noticed the death between the two and gave the connection up.
    """
    statuses: list[int] = []
    ended = threading.Event()

    def read() -> int:
        """Return how many answers broke off."""
        broken = 0
        with httpx.Client(base_url=stack.url, timeout=20) as client:
            while not ended.is_set():
                try:
                    statuses.append(client.get("/api/users").status_code)
                except httpx.RemoteProtocolError:
                    broken += 1
        return broken

    with ThreadPoolExecutor() as threads:
        readers = [threads.submit(read) for _ in range(3)]
        try:
            wait_until(lambda: len(statuses) > 10, "reads are under way")
            stack.service("api-2").kill()
            stack.wait_ready("api-2", 60)
        finally:
            ended.set()
        assert max(reader.result(30) for reader in readers) <= 1
    assert set(statuses) == {200}


def test_a_restarted_part_is_another_process_and_ready(stack: Stack) -> None:
    before = stack.service("relay-1").pid
    stack.restart("relay-1")
    assert stack.service("relay-1").pid != before
    assert stack.service("relay-1").restarts >= 1


def test_a_worker_takes_its_children_with_it(stack: Stack) -> None:
    worker = stack.service("worker-1")
    identity = sessions.identify(worker.pid)
    assert identity is not None
    children = [process.pid for process in sessions.members(identity) if process.pid != worker.pid]
    assert children, "a worker runs tasks in children"
    worker.kill()
    wait_until(lambda: not list(sessions.members(identity)), "no member of the session is left", 10)
    stack.wait_ready("worker-1", 60)


def test_a_part_can_be_kept_down_for_a_while(stack: Stack) -> None:
    relay = stack.service("relay-2")
    relay.pause_restart()
    relay.kill()
    time.sleep(1)
    with pytest.raises(Exception, match="relay-2 is not ready after 1 s"):
        stack.wait_ready("relay-2", 1)
    relay.resume_restart()
    stack.wait_ready("relay-2", 60)


def test_every_part_listens_on_this_machine_only(stack: Stack) -> None:
    ports = set(stack.ports.values())
    listening = [
        connection.laddr
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr and connection.laddr.port in ports
    ]
    assert {address.port for address in listening} == ports
    assert {address.ip for address in listening} == {"127.0.0.1"}
