"""What a client sees through the Ingress, and what it must not see."""

import base64
import os
import subprocess

import httpx2 as httpx
import pytest

from kube import Kube
from release import ROOT, Release

SCRIPT_SECONDS = 180
METRICS_PORT = 9102


@pytest.fixture(scope="session")
def flower_account(release: Release, kube: Kube) -> tuple[str, str]:
    secret = kube.get("Secret", release.component("credentials"))
    assert secret
    user, _, password = base64.b64decode(secret["data"]["flower-basic-auth"]).decode().partition(":")
    return user, password


def test_the_script_for_running_systems_passes(url: str) -> None:
    script = subprocess.run(
        [ROOT / "test-worker.sh", url],
        env={**os.environ, "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        timeout=SCRIPT_SECONDS,
        check=False,
    )
    assert script.returncode == 0, script.stdout + script.stderr


def test_the_charts_own_tests_pass(release: Release) -> None:
    assert release.test().count("Phase:          Succeeded") >= 6


def test_every_replica_of_the_api_answers_through_the_ingress(api: httpx.Client, release: Release) -> None:
    replicas = {pod.name for pod in release.pods("api")}
    assert len(replicas) == 3
    served_by = {
        api.get("/healthz", headers={"Connection": "close"}).headers["X-Served-By"] for _ in range(30)
    }
    assert served_by == replicas


def test_metrics_are_for_the_cluster_only(api: httpx.Client, release: Release, kube: Kube) -> None:
    assert api.get("/metrics").status_code == 404
    assert api.get("/flower/metrics").status_code == 404
    for pod in release.pods("api"):
        with kube.forward(pod.name, METRICS_PORT) as port:
            answer = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10)
        assert answer.status_code == 200
        assert "http_requests_total" in answer.text


def test_flower_asks_for_the_password_that_was_drawn(
    api: httpx.Client, flower_account: tuple[str, str]
) -> None:
    user, password = flower_account
    assert api.get("/flower/").status_code == 401
    assert api.get("/flower/", auth=(user, password[:-1])).status_code == 401
    assert api.get("/flower/", auth=(user, password)).status_code == 200
