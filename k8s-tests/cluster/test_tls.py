"""Nobody talks to the members in plain, and they take renewed certificates over while they work."""

import base64
import copy
from typing import Any

import httpx2 as httpx
import pytest
from cryptography import x509

from cluster.load import Load
from kube import ExecError, Kube
from release import Release
from waiting import NotYetError, eventually

# the kubelet looks at Secrets once a minute, the agents at files every ten seconds
TAKEN_OVER_SECONDS = 180
JOB_SECONDS = 120
ANOTHER_NAME = "renewed.example.com"


def test_a_member_refuses_whoever_talks_in_plain(release: Release, kube: Kube) -> None:
    secret = kube.get("Secret", release.component("credentials"))
    assert secret
    password = base64.b64decode(secret["data"]["db-password"]).decode()
    program = ("mysql", "--no-defaults", "--host=127.0.0.1", "--user=conveyor", f"--password={password}")
    asking = ("--get-server-public-key", "--execute=SELECT 1")
    for pod in release.pods("mysql"):
        with pytest.raises(ExecError, match="require_secure_transport"):
            kube.exec(pod.name, "mysql", *program, "--ssl-mode=DISABLED", *asking)
        verified = ("--ssl-mode=VERIFY_IDENTITY", "--ssl-ca=/etc/conveyor-tls/ca.crt")
        assert "1" in kube.exec(pod.name, "mysql", *program, *verified, *asking)


def test_a_renewed_certificate_is_taken_over_under_load_without_a_restart(
    release: Release, kube: Kube, load: Load, figures: dict[str, str]
) -> None:
    before = {(pod.name, pod.uid, pod.restarts) for pod in release.pods()}
    with load.running() as traffic:
        load.wait_for(accepted=5)
        run_the_program(release, kube, "with-another-name", ANOTHER_NAME)
        ends = certificate(release, kube).not_valid_after_utc.timestamp()
        eventually("every member shows it", lambda: all_show(release, kube, ends), TAKEN_OVER_SECONDS)
        load.wait_for(accepted=5)
        run_the_program(release, kube, "with-the-right-names")
        load.wait_for(accepted=5)
    assert traffic.failures == []
    assert {(pod.name, pod.uid, pod.restarts) for pod in release.pods()} == before
    figures["certificate renewed"] = f"shown by all members; {traffic}"


def run_the_program(release: Release, kube: Kube, name: str, *more_names: str) -> None:
    """Run what the CronJob runs, once, for more names than the chart gives."""
    daily = kube.get("CronJob", release.component("credentials"))
    assert daily
    spec: dict[str, Any] = copy.deepcopy(daily["spec"]["jobTemplate"]["spec"])
    for variable in spec["template"]["spec"]["containers"][0]["env"]:
        if variable["name"] == "CREDENTIALS_TLS_NAMES":
            variable["value"] = ",".join([variable["value"], *more_names])
    kube.delete("Job", name)
    kube.apply({"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": name}, "spec": spec})

    def done() -> None:
        job = kube.get("Job", name)
        if not job or not job.get("status", {}).get("succeeded"):
            raise NotYetError(str(job and job.get("status")))

    eventually(f"the Job {name} has ended well", done, JOB_SECONDS)
    kube.delete("Job", name)


def certificate(release: Release, kube: Kube) -> x509.Certificate:
    secret = kube.get("Secret", release.component("mysql-tls"))
    assert secret
    return x509.load_pem_x509_certificate(base64.b64decode(secret["data"]["tls.crt"]))


def all_show(release: Release, kube: Kube, ends: float) -> bool:
    series = "mysql_agent_certificate_expiry_timestamp_seconds "
    for pod in release.pods("mysql"):
        with kube.forward(pod.name, 8008) as port:
            lines = httpx.get(f"http://127.0.0.1:{port}/metrics", timeout=10).text.splitlines()
        shown = next(float(line.removeprefix(series)) for line in lines if line.startswith(series))
        if shown != ends:
            raise NotYetError(f"{pod.name} shows one that ends at {shown:.0f}, not {ends:.0f}")
    return True
