"""A cluster, and in it one release that every test finds ready and leaves ready."""

import os
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import httpx2 as httpx
import pytest

from bench.api import Api
from bench.ledger import Ledger
from cluster.group import Group
from cluster.load import Load
from cluster.settings import NAMESPACE, RELEASE, release_values, restricted_namespace
from cluster.shell import Shell
from diagnosis import WATCHED
from helm import helm_binary
from kube import Kube
from node.provider import Cluster, NoClusterError, provide, take_down
from release import ROOT, Release, Values
from waiting import NotYetError, eventually

NODES = 3
DELETE_SECONDS = 180
TEST_SECONDS = 900
LEFT_OPEN = "ignore:Exception ignored in. <ssl.SSLSocket:pytest.PytestUnraisableExceptionWarning"
DISCOVERY = ROOT / ".cache" / "kubernetes-discovery.json"
DIRECTORY_VARIABLE = "CONVEYOR_CLUSTER_DIR"
OWN_CLUSTER = ROOT / ".cache" / "cluster"
# what a later file does is dearer, or breaks more
ORDER = (
    "install",
    "front",
    "runbooks",
    "database",
    "database_members",
    "database_network",
    "database_disks",
    "database_changes",
    "tls",
    "rotation",
    "upgrade",
    "scaling",
    "external",
    "nodes",
    "backup",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = [item for item in items if item.path.is_relative_to(Path(__file__).parent)]
    for item in here:
        item.add_marker(pytest.mark.cluster)
        item.add_marker(pytest.mark.timeout(TEST_SECONDS))
        # the Kubernetes client leaves the socket of a refused port-forward open, which shows up tests later
        item.add_marker(pytest.mark.filterwarnings(LEFT_OPEN))
    here.sort(key=lambda item: ORDER.index(item.path.stem.removeprefix("test_")))
    items[:] = [item for item in items if item not in here] + here


@pytest.fixture(scope="session")
def cluster(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Three nodes; taken down afterwards if they were brought up for the tests."""
    with pytest.MonkeyPatch.context() as patch:
        if not os.environ.get(DIRECTORY_VARIABLE):  # not the cluster of `make cluster`
            patch.setenv(DIRECTORY_VARIABLE, str(OWN_CLUSTER))
            patch.setenv("CONVEYOR_INGRESS_PORT", str(_free_port()))
        try:
            cluster = provide(int(os.environ.get("NODES", NODES)))
        except NoClusterError as error:
            if os.environ.get("REQUIRE_CLUSTER"):
                pytest.fail(str(error))
            pytest.skip(str(error))
        yield cluster
        if not request.config.getoption("--keep-cluster"):
            cluster.down()
            take_down(OWN_CLUSTER)  # also one that a killed run has left


@pytest.fixture(scope="session")
def kube(cluster: Cluster, request: pytest.FixtureRequest) -> Iterator[Kube]:
    """An empty namespace that takes none but restricted pods."""
    kube = Kube(cluster.kubeconfig, cluster.context, NAMESPACE, DISCOVERY)
    _delete_namespace(kube)
    kube.apply(restricted_namespace())
    request.config.stash[WATCHED].append(kube)
    yield kube
    if not request.config.getoption("--keep-cluster"):
        _delete_namespace(kube)


@pytest.fixture(scope="session")
def values(cluster: Cluster) -> Values:
    return release_values(cluster.image)


@pytest.fixture(scope="session")
def make_release(cluster: Cluster, kube: Kube) -> Callable[[str, str], Release]:
    """Give a release by its name and the version of Helm that it is made with."""
    access = ("--kubeconfig", str(cluster.kubeconfig), "--kube-context", cluster.context)
    return lambda name, version: Release(kube, helm_binary(version), name, access)


@pytest.fixture(scope="session")
def release(make_release: Callable[[str, str], Release], values: Values, figures: dict[str, str]) -> Release:
    release = make_release(RELEASE, "4.1")
    started = time.monotonic()
    release.install(values)
    helm_seconds = time.monotonic() - started
    release.wait_settled()
    figures["helm install --wait"] = f"{helm_seconds:.0f} s"
    figures["all pods ready"] = f"{time.monotonic() - started:.0f} s after the start of the installation"
    return release


@pytest.fixture(autouse=True)
def _settled(release: Release, request: pytest.FixtureRequest) -> Iterator[None]:
    """Charge what does not recover to the test that broke it, and do not go on with it."""
    release.wait_settled()
    yield
    try:
        release.wait_settled()
    except AssertionError:
        request.session.shouldfail = f"the release did not recover from {request.node.name}"
        raise


@pytest.fixture(scope="session")
def url(cluster: Cluster, release: Release) -> str:
    """The address at which the release answers through the Ingress."""

    def answers() -> str:
        answer = httpx.get(f"{cluster.ingress_url}/readyz", timeout=5)
        if answer.status_code != httpx.codes.OK:
            raise NotYetError(f"{answer.status_code} {answer.text[:200]}")
        if (server := answer.headers["X-Served-By"]) not in {pod.name for pod in release.pods("api")}:
            raise NotYetError(f"{server} answers: the Ingress of another release leads there")
        return cluster.ingress_url

    return eventually(f"{release.name} answers through the Ingress", answers, 60)


@pytest.fixture
def api(url: str) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=url, timeout=15) as client:
        yield client


@pytest.fixture
def ledger(url: str) -> Ledger:
    address = urlsplit(url)
    return Ledger(Api(address.port or 80, address.hostname or "127.0.0.1"))


@pytest.fixture
def load(url: str, ledger: Ledger) -> Load:
    return Load(url, ledger)


@pytest.fixture
def shell(cluster: Cluster, release: Release, tmp_path: Path) -> Shell:
    return Shell(release, cluster.kubeconfig, cluster.context, tmp_path)


@pytest.fixture
def group(cluster: Cluster, release: Release, kube: Kube) -> Group:
    return Group(release, kube, cluster)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port: int = server.getsockname()[1]
        return port


def _delete_namespace(kube: Kube) -> None:
    kube.delete("Namespace", NAMESPACE)

    def gone() -> None:
        if kube.get("Namespace", NAMESPACE):
            raise NotYetError(f"still there, with {len(kube.find('Pod'))} pods")

    eventually(f"namespace {NAMESPACE} is gone", gone, DELETE_SECONDS)
