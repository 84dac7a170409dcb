"""Nodes that are emptied, one that loses its power, and one that nobody reaches."""

import contextlib
import time
from collections.abc import Iterator

import pytest

from cluster.group import Group
from cluster.load import Load
from cluster.members import primary, roles
from kube import Kube
from node.provider import Cluster
from release import Release
from waiting import NotYetError, eventually
from workloads import is_true

DRAIN_SECONDS = 120
NOTICE_SECONDS = 60
REPLACEMENT_SECONDS = 120
# these keep their data on one node, so they come back when the node does; without Redis these are not ready
BOUND = {"mysql", "redis"}
WAITING_FOR_REDIS = {"relay", "worker"}
FREE_SECONDS = 60
LABEL_SECONDS = 30
LOCK_LOG = "/tmp/lock"  # noqa: S108 - in a container
# Whoever has this lock of the server keeps it, like those on rows, until the server ends its connection.
LOCK = """
import sys, time
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.settings import load_settings
with Database(load_settings(), DatabaseMetrics(CollectorRegistry()), idle_seconds=3600).write() as session:
    got = session.execute(text("SELECT GET_LOCK('of a node that is cut off', 0)")).scalar_one()
    print("got" if got else "refused", flush=True)
    time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(scope="session")
def nodes(kube: Kube) -> list[str]:
    names = sorted(item["metadata"]["name"] for item in kube.find("Node"))
    if len(names) < 3:
        pytest.skip(f"three nodes are needed, there are {len(names)}: NODES=3")
    return names


@contextlib.contextmanager
def drained(kube: Kube, node: str) -> Iterator[None]:
    """Evict what is on a node, as fast as the disruption budgets allow, and then let it be used again."""
    kube.cordon(node)
    try:
        eventually(f"{node} is empty", lambda: _evict_all(kube, node), DRAIN_SECONDS)
        yield
    finally:
        kube.cordon(node, cordoned=False)


def test_every_node_can_be_drained_in_turn_under_load(
    release: Release, kube: Kube, nodes: list[str], load: Load, figures: dict[str, str]
) -> None:
    with load.running() as traffic:
        for node in nodes:
            with drained(kube, node):
                eventually(f"what can move has left {node}", lambda: _serving(release), REPLACEMENT_SECONDS)
            release.wait_settled()
            load.wait_for(accepted=5)
    figures[f"{len(nodes)} nodes drained under load"] = str(traffic)


@pytest.mark.parametrize("fate", ["loses its power", "is cut off"])
def test_a_node_with_the_primary_takes_no_task_with_it(
    release: Release, group: Group, load: Load, figures: dict[str, str], fate: str
) -> None:
    old = group.primary()
    victim = group.node(old)
    name = victim.name
    lose, bring_back = (
        (victim.kill, victim.start) if fate == "loses its power" else (victim.partition, victim.heal)
    )
    with load.running() as traffic:
        load.wait_for(accepted=10)
        lose()
        started = time.monotonic()
        try:
            new = group.successor(old)
            seconds = time.monotonic() - started
            eventually("clients are led to the new primary", lambda: _led_to(release, new), LABEL_SECONDS)
            eventually(f"{name} is missed", lambda: _missed(release.kube, name), NOTICE_SECONDS)
            eventually("the others have taken over", lambda: _serving(release), REPLACEMENT_SECONDS)
            load.wait_for(accepted=10)
            assert roles(release, release.kube)[old] == ""
            assert _node_of_volume(release.kube, old) == name, "the volume stays where its node is"
        finally:
            bring_back()
        release.wait_settled()
        load.wait_for(accepted=5)
    group.verify(traffic)
    figures[f"the primary's node {fate}"] = f"another had the label after {seconds:.1f} s; {traffic}"


def test_a_node_that_is_cut_off_loses_its_locks(
    cluster: Cluster, release: Release, kube: Kube, figures: dict[str, str]
) -> None:
    leader = primary(release, kube)
    kept = next(pod.node for pod in release.pods("mysql") if pod.name == leader)
    workers = release.pods("worker")
    lost = next(pod for pod in workers if pod.node != kept)
    other = next(pod for pod in workers if pod.node != lost.node)
    victim = cluster.node(lost.node)
    if victim is None:
        pytest.skip("the machines of this cluster are not ours to switch off")
    kube.exec(lost.name, "worker", "sh", "-c", f'python -c "$0" 3600 > {LOCK_LOG} 2>&1 &', LOCK)

    def locked() -> None:
        _expect("got", kube.exec(lost.name, "worker", "cat", LOCK_LOG))

    def free() -> None:
        _expect("got", kube.exec(other.name, "worker", "python", "-c", LOCK, "0"))

    eventually("a connection has the lock", locked, NOTICE_SECONDS)
    with pytest.raises(NotYetError, match="refused"):
        free()
    victim.partition()
    started = time.monotonic()
    try:
        eventually("the lock is free", free, FREE_SECONDS)
    finally:
        victim.heal()
    figures["locks of a node that is cut off are free after"] = f"{time.monotonic() - started:.1f} s"
    release.wait_settled()


def _expect(wanted: str, output: str) -> None:
    if output.strip() != wanted:
        raise NotYetError(output.strip() or "nothing was said yet")


def _evict_all(kube: Kube, node: str) -> None:
    found = kube.find("Pod", fields=f"spec.nodeName={node}")
    left = [item["metadata"]["name"] for item in found if item["status"]["phase"] in {"Pending", "Running"}]
    for name in left:
        kube.evict(name)
    if left:
        raise NotYetError(f"still there: {', '.join(left)}")


def _serving(release: Release) -> None:
    """Look for every pod but those that wait for a node: all are ready, elsewhere."""
    pods = release.pods()
    has_redis = any(pod.ready for pod in pods if pod.component == "redis")
    waiting = BOUND if has_redis else BOUND | WAITING_FOR_REDIS
    if lacking := [str(pod) for pod in pods if not pod.ready and pod.component not in waiting]:
        raise NotYetError("; ".join(lacking))


def _missed(kube: Kube, node: str) -> None:
    found = kube.get("Node", node)
    if found and is_true(found["status"], "Ready"):
        raise NotYetError("it is still taken for ready")


def _led_to(release: Release, pod: str) -> None:
    service = f"{release.component('mysql')}-primary"
    slices = release.kube.find("EndpointSlice", f"kubernetes.io/service-name={service}")
    ready = {
        end["targetRef"]["name"]
        for one in slices
        for end in one.get("endpoints") or ()
        if end["conditions"].get("ready")
    }
    if ready != {pod}:
        raise NotYetError(f"{service} leads to {', '.join(sorted(ready)) or 'nobody'}")


def _node_of_volume(kube: Kube, pod: str) -> str:
    claim = kube.get("PersistentVolumeClaim", f"data-{pod}")
    assert claim
    volume = kube.get("PersistentVolume", claim["spec"]["volumeName"])
    assert volume
    (term,) = volume["spec"]["nodeAffinity"]["required"]["nodeSelectorTerms"]
    (name,) = term["matchExpressions"][0]["values"]
    return str(name)
