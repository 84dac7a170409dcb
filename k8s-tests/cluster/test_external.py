"""A release that uses another one's MySQL and Redis, and a Secret that was there before it."""

from collections.abc import Callable, Iterator
from typing import Any

import httpx2 as httpx
import pytest

from bench.api import Api
from bench.ledger import Ledger
from cluster.jobs import said
from cluster.load import Load
from cluster.settings import merged
from kube import Kube
from release import Release, Values
from waiting import eventually

GUEST = "guest"
BACKUP_SECONDS = 120
API_PORT, MYSQL_PORT = 8000, 3306


def admission(host: Release, guest: str) -> dict[str, Any]:
    """Return a policy by which the host's database and queue let the guest in."""
    return {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": f"{guest}-admission"},
        "spec": {
            "podSelector": {
                "matchLabels": {"app.kubernetes.io/instance": host.name},
                "matchExpressions": [
                    {"key": "app.kubernetes.io/component", "operator": "In", "values": ["mysql", "redis"]}
                ],
            },
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app.kubernetes.io/instance": guest}}}]}],
        },
    }


@pytest.fixture(scope="module")
def guest(make_release: Callable[[str, str], Release], release: Release, values: Values) -> Iterator[Release]:
    """Install with the older Helm what has neither a database nor a queue nor passwords of its own."""
    guest = make_release(GUEST, "3.18")
    fixed = {"autoscaling": {"enabled": False}, "replicas": 1}
    changes = {
        "api": fixed,
        "workers": {"default": fixed},
        "relay": {"replicas": 1},
        "flower": {"enabled": False, "route": False},
        "ingress": {"enabled": False},
        "credentials": {"existingSecret": release.component("credentials")},
        "redis": {"external": {"enabled": True, "host": release.component("redis")}},
        "mysql": {
            "external": {
                "enabled": True,
                "host": release.component("mysql-primary"),
                "replicaHosts": [f"{release.component('mysql-replicas')}:{MYSQL_PORT}"],
            }
        },
        "backup": {"enabled": True, "persistence": {"size": "100Mi"}},
        "extraObjects": [admission(release, GUEST)],
    }
    try:
        guest.install(merged(values, changes))
        yield guest
    finally:
        guest.uninstall()


def test_a_release_works_with_the_database_and_the_queue_of_another(
    guest: Release, kube: Kube, api: httpx.Client
) -> None:
    assert [pod.component for pod in guest.pods() if pod.component in {"mysql", "redis"}] == []
    assert kube.get("Secret", guest.component("credentials")) is None
    [pod] = guest.pods("api")
    with kube.forward(pod.name, API_PORT) as port:
        load = Load(f"http://127.0.0.1:{port}", Ledger(Api(port)))
        with load.running() as traffic:
            load.wait_for(accepted=10)
    assert traffic.failures == []
    assert api.get(f"/api/tasks/{traffic.accepted[0]}").json()["status"] == "succeeded"


def test_a_database_of_another_is_backed_up(guest: Release) -> None:
    eventually("the dump is there", lambda: said(guest, "backup", r"^wrote (\S+\.sql\.gz), "), BACKUP_SECONDS)
