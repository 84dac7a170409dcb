"""New passwords for everything, while clients submit tasks and read."""

import base64

import pytest

from cluster.load import Load
from kube import ExecError, Kube
from release import Release
from waiting import NotYetError, eventually

# API, workers, relays, Flower, Redis and three members are started anew, one pod after the other
ROTATION_SECONDS = 800
JOB = "rotate"
KEPT = {"secret-key", "flower-basic-auth"}


def passwords(release: Release, kube: Kube) -> dict[str, str]:
    secret = kube.get("Secret", release.component("credentials"))
    assert secret
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def logs_in(release: Release, kube: Kube, user: str, password: str) -> None:
    program = ("mysql", "--no-defaults", "--host=127.0.0.1", f"--user={user}", "--execute=SELECT 1")
    kube.exec(release.pods("mysql")[0].name, "mysql", *program, f"--password={password}")


def test_passwords_are_rotated_under_load_and_only_new_ones_are_taken_afterwards(
    release: Release, kube: Kube, load: Load, figures: dict[str, str]
) -> None:
    before = passwords(release, kube)
    cron = kube.get("CronJob", release.component("rotate"))
    assert cron
    job = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": JOB}}

    def done() -> None:
        status = (kube.get("Job", JOB) or {}).get("status", {})
        if not status.get("succeeded"):
            raise NotYetError(f"{status}")

    with load.running() as traffic:
        load.wait_for(accepted=5)
        kube.apply({**job, "spec": cron["spec"]["jobTemplate"]["spec"]})
        eventually("the rotation has ended well", done, ROTATION_SECONDS)
        load.wait_for(accepted=5)
    kube.delete("Job", JOB)
    assert [line for line in traffic.failures if " 503 " not in line] == []
    after = passwords(release, kube)
    assert set(after) == set(before)
    assert {key for key in before if after[key] == before[key]} == KEPT
    for user, key in (
        ("conveyor", "db-password"),
        ("conveyor_admin", "db-admin-password"),
        ("conveyor_agent", "mysql-agent-password"),
        ("gr_recovery", "mysql-recovery-password"),
    ):
        logs_in(release, kube, user, after[key])
        with pytest.raises(ExecError, match="Access denied"):
            logs_in(release, kube, user, before[key])
    figures["passwords rotated"] = f"nothing but 503 with Retry-After failed; {traffic}"
