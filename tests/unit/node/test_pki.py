import base64
import datetime as dt
import ipaddress
import json
import stat
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from cryptography.x509.verification import PolicyBuilder, Store

from node import pki
from node.identities import ADMIN, admin_kubeconfig, subjects, write_identities
from node.plan import ClusterPlan, plan_cluster

NOW = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@pytest.fixture(scope="module")
def root() -> pki.KeyPair:
    return pki.authority("test", NOW)


def test_a_server_is_vouched_for_by_name_and_by_address(root: pki.KeyPair) -> None:
    pair = pki.issue(root, pki.Subject("server", hosts=("localhost", "10.10.0.1")), NOW)
    store = Store([root.certificate])
    for host in (x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("10.10.0.1"))):
        verifier = PolicyBuilder().store(store).time(NOW).build_server_verifier(host)
        assert verifier.verify(pair.certificate, [])


def test_a_client_is_vouched_for_only_by_its_own_authority(root: pki.KeyPair) -> None:
    pair = pki.issue(root, pki.Subject("client", hosts=("client",)), NOW)
    policy = PolicyBuilder().time(NOW)
    verified = policy.store(Store([root.certificate])).build_client_verifier().verify(pair.certificate, [])
    assert verified.chain[-1] == root.certificate
    other = pki.authority("test", NOW)
    with pytest.raises(x509.verification.VerificationError):
        policy.store(Store([other.certificate])).build_client_verifier().verify(pair.certificate, [])


def test_user_and_group_are_where_kubernetes_reads_them(root: pki.KeyPair) -> None:
    names = pki.issue(root, pki.Subject("system:node:node1", "system:nodes"), NOW).certificate.subject
    assert names.get_attributes_for_oid(NameOID.COMMON_NAME)[0].value == "system:node:node1"
    assert names.get_attributes_for_oid(NameOID.ORGANIZATION_NAME)[0].value == "system:nodes"


def test_a_certificate_holds_on_a_machine_whose_clock_is_a_little_late(root: pki.KeyPair) -> None:
    pair = pki.issue(root, pki.Subject("server"), NOW)
    assert pair.certificate.not_valid_before_utc < NOW - dt.timedelta(minutes=30)


def test_keys_are_elliptic_since_others_take_seconds_to_draw(root: pki.KeyPair) -> None:
    assert isinstance(root.key, ec.EllipticCurvePrivateKey)


def test_each_node_gets_an_identity_that_the_node_authorizer_knows() -> None:
    named = subjects(plan_cluster(Path("/srv/one"), 2).nodes)
    assert named["node2"] == pki.Subject("system:node:node2", "system:nodes", ("node2", "10.10.0.12"))
    assert "node3" not in named


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> ClusterPlan:
    plan = ClusterPlan(tmp_path_factory.mktemp("cluster"), plan_cluster(Path("/srv/one"), 1).nodes)
    write_identities(plan, NOW)
    return plan


def test_no_key_can_be_read_by_others(written: ClusterPlan) -> None:
    secrets = [path for path in written.pki.iterdir() if path.suffix in {".key", ".kubeconfig"}]
    assert len(secrets) > 10
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


def test_the_kubeconfig_of_people_has_the_admin_s_certificate_and_the_host_s_address(
    written: ClusterPlan,
) -> None:
    config = json.loads(admin_kubeconfig(written.pki, "https://127.0.0.1:6443"))
    assert config["current-context"] == "conveyor"
    assert config["clusters"][0]["cluster"]["server"] == "https://127.0.0.1:6443"
    certificate = base64.b64decode(config["users"][0]["user"]["client-certificate-data"])
    assert certificate == (written.pki / f"{ADMIN}.crt").read_bytes()
