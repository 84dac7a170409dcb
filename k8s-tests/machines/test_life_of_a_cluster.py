"""Nodes of our own come up, suffer, and go without a trace. Needs root on Linux with Go."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from node import preflight
from node.api import ApiClient
from node.cgroups import MOUNT
from node.cluster import NodeHandle, OwnCluster, read_facts, running_cluster
from node.host_access import HOST, open_door, port_of
from node.identities import ADMIN
from node.plan import ClusterPlan, plan_cluster
from node.up import require_ready
from waiting import NotYetError, eventually

ROOT = Path(__file__).resolve().parents[2]
# a first run builds Kubernetes
UP_SECONDS = 1800
DOWN_SECONDS = 60
NOTICE_SECONDS = 60
READY_SECONDS = 60

pytestmark = [
    pytest.mark.cluster,
    pytest.mark.timeout(UP_SECONDS + 600),
    pytest.mark.skipif(
        bool(preflight.obstacle()) and not os.environ.get("REQUIRE_CLUSTER"), reason=preflight.obstacle()
    ),
]


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    directory = tmp_path_factory.mktemp("machines").resolve() / "cluster"
    yield directory
    _node(directory, "down")


@pytest.fixture(scope="module")
def plan(directory: Path) -> ClusterPlan:
    return plan_cluster(directory, 1)


@pytest.fixture(scope="module")
def cluster(directory: Path) -> OwnCluster:
    """A cluster of one node, started by the command that people use."""
    _node(directory, "up")
    cluster = running_cluster(directory)
    assert cluster
    return cluster


@pytest.fixture(scope="module")
def node(cluster: OwnCluster) -> NodeHandle:
    return cluster.node("node1")


@pytest.fixture(scope="module")
def api(cluster: OwnCluster) -> ApiClient:
    facts = read_facts(cluster.plan.directory)
    assert facts
    return ApiClient(HOST, facts.api_port, cluster.plan.pki, ADMIN)


@pytest.fixture
def bystander(tmp_path: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process of somebody else's that is called like one of ours."""
    program = tmp_path / "kubelet"
    shutil.copyfile("/bin/sleep", program)
    program.chmod(0o755)
    process = subprocess.Popen([program, "600"], cwd=tmp_path)
    yield process
    process.kill()
    process.wait()


def test_a_second_start_says_that_the_cluster_runs(cluster: OwnCluster) -> None:
    before = cluster.control.pid()
    assert "runs already" in _node(cluster.plan.directory, "up")
    assert cluster.control.pid() == before


@pytest.mark.parametrize(
    ("harm", "cure"),
    [
        (NodeHandle.kill, NodeHandle.start),
        (NodeHandle.freeze, NodeHandle.thaw),
        (NodeHandle.partition, NodeHandle.heal),
    ],
    ids=["power cut", "hang", "partition"],
)
def test_a_node_is_missed_and_comes_back(
    node: NodeHandle,
    api: ApiClient,
    harm: Callable[[NodeHandle], None],
    cure: Callable[[NodeHandle], None],
) -> None:
    harm(node)
    eventually("the node is missed", lambda: _missed(api, node.name), NOTICE_SECONDS)
    cure(node)
    eventually("the node is ready again", lambda: require_ready(api, node.name), READY_SECONDS)


def test_a_start_that_was_killed_is_cleared(tmp_path: Path, bystander: subprocess.Popen[bytes]) -> None:
    directory = tmp_path.resolve() / "killed"
    plan = plan_cluster(directory, 1)
    start = subprocess.Popen(_command("up"), env=_environment(directory), cwd=ROOT)
    try:
        eventually("a machine was started", lambda: _processes(plan), UP_SECONDS)
    finally:
        os.kill(start.pid, signal.SIGKILL)
        start.wait()
    _node(directory, "down")
    _assert_nothing_is_left(plan)
    assert bystander.poll() is None


def test_a_cluster_that_ended_leaves_nothing(
    cluster: OwnCluster, plan: ClusterPlan, bystander: subprocess.Popen[bytes]
) -> None:
    namespaces = {_network_namespace(pid) for pid in _processes(plan)}
    outside = _host_network()
    started = time.monotonic()
    assert "cluster is down" in _node(plan.directory, "down")
    assert time.monotonic() - started < DOWN_SECONDS
    _assert_nothing_is_left(plan)
    assert not namespaces & {_network_namespace(int(path.name)) for path in Path("/proc").glob("[0-9]*")}
    assert _host_network() == outside
    assert bystander.poll() is None
    assert cluster.control.pid() is None


def _command(verb: str) -> list[str]:
    return [sys.executable, "-m", "node", verb]


def _environment(directory: Path) -> dict[str, str]:
    with open_door(0, "") as door:
        port = port_of(door)
    own = {"CONVEYOR_CLUSTER_DIR": str(directory), "CONVEYOR_INGRESS_PORT": str(port), "NODES": "1"}
    return os.environ | own | {"PYTHONPATH": f"{ROOT / 'k8s-tests'}:{ROOT}"}


def _node(directory: Path, verb: str) -> str:
    result = subprocess.run(
        _command(verb),
        env=_environment(directory),
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=UP_SECONDS,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def _processes(plan: ClusterPlan) -> list[int]:
    found = [
        int(line)
        for file in MOUNT.glob(f"*/{plan.identity}/**/cgroup.procs")
        for line in file.read_text().split()
    ]
    if not found:
        raise NotYetError("no process is in its control groups")
    return found


def _missed(api: ApiClient, name: str) -> None:
    try:
        require_ready(api, name)
    except NotYetError:
        return
    raise NotYetError(f"{name} is still taken for ready")


def _assert_nothing_is_left(plan: ClusterPlan) -> None:
    assert list(MOUNT.glob(f"*/{plan.identity}")) == []
    assert str(plan.directory) not in Path("/proc/self/mountinfo").read_text()
    assert not plan.directory.exists()
    named = re.compile(re.escape(f"{plan.directory}/"))
    assert [command for command in _command_lines() if named.search(command)] == []


def _command_lines() -> list[str]:
    lines = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            lines.append(path.read_bytes().replace(b"\0", b" ").decode(errors="replace"))
        except (FileNotFoundError, ProcessLookupError):
            continue
    return lines


def _network_namespace(pid: int) -> str:
    try:
        return str(Path(f"/proc/{pid}/ns/net").readlink())
    except OSError:  # ended, or not for us to see
        return f"unknown, of process {pid}"


def _host_network() -> tuple[str, str]:
    """Return the host's links and rules, without what counts on."""
    links = subprocess.run(["ip", "-brief", "link"], capture_output=True, text=True, check=True).stdout
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=True).stdout
    return links, re.sub(r"#.*|\[\d+:\d+\]", "", rules)
