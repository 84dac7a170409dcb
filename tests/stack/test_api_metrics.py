"""Metrics of the API on a port of their own, as in a cluster."""

import subprocess
import sys
from collections.abc import Iterator

import httpx2 as httpx
import pytest

from stack.ports import free_ports
from stack.supervisor import ROOT, Stack
from tests.stack.waiting import wait_until


@pytest.fixture
def ports() -> tuple[int, int]:
    free = free_ports()
    return free["api-1"], free["api-2"]


@pytest.fixture
def replica(stack: Stack, ports: tuple[int, int]) -> Iterator["subprocess.Popen[bytes]"]:
    """One more replica of the API."""
    api, metrics = map(str, ports)
    addresses = {"API_PORT": api, "API_METRICS_PORT": metrics, "METRICS_HOST": "127.0.0.1"}
    with subprocess.Popen(
        [sys.executable, "-m", "app"], cwd=ROOT, env={**stack.env_for("api-1"), **addresses}
    ) as process:
        yield process
        process.terminate()


def test_they_are_there_and_not_where_an_ingress_leads(
    replica: "subprocess.Popen[bytes]", ports: tuple[int, int]
) -> None:
    api, metrics = (f"http://127.0.0.1:{port}" for port in ports)

    def is_ready() -> bool:
        try:
            return httpx.get(f"{api}/readyz", timeout=2).status_code == httpx.codes.OK
        except httpx.HTTPError:
            return False

    wait_until(is_ready, "the replica is ready")
    assert httpx.get(f"{api}/metrics", timeout=2).status_code == httpx.codes.NOT_FOUND
    assert 'route="/readyz"' in httpx.get(f"{metrics}/metrics", timeout=2).text
    replica.terminate()
    assert replica.wait(30) == 0
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"{metrics}/metrics", timeout=2)
