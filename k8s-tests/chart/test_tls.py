"""Who gets the certificates of the MySQL servers, who verifies with them, and what makes and renews them."""

from ipaddress import ip_address

import pytest

from chart.manifests import Manifests, Pod
from chart.presets import PRESETS
from chart.rendering import RenderError, render

FOLDER = "/etc/conveyor-tls"
KEY, AUTHORITY_KEY = "tls.key", "ca.key"


def secret_files(pod: Pod, container: str) -> dict[str, set[str]]:
    """Return the keys of each Secret that a container finds in its files."""
    found: dict[str, set[str]] = {}
    volumes = {volume.name: volume.secret for volume in pod.spec.volumes or []}
    for mount in pod.container(container).volume_mounts or []:
        secret = volumes.get(mount.name)
        if secret:
            assert mount.mount_path == FOLDER
            assert mount.sub_path is None, "the kubelet renews no single file"
            assert secret.items, "all keys of the Secret would be mounted"
            found.setdefault(str(secret.secret_name), set()).update(item.key for item in secret.items)
    return found


def all_secret_files(manifests: Manifests) -> dict[tuple[str, str], dict[str, set[str]]]:
    return {
        (pod.component, container.name): secret_files(pod, container.name)
        for pod in manifests.pods
        for container in pod.containers
    }


def test_the_key_of_the_authority_is_mounted_nowhere_and_the_servers_key_by_servers_alone(
    manifests: Manifests,
) -> None:
    keys = {who: set().union(*files.values()) for who, files in all_secret_files(manifests).items() if files}
    assert not [who for who, found in keys.items() if AUTHORITY_KEY in found]
    assert {who for who, found in keys.items() if KEY in found} <= {
        ("mysql", "mysql"),
        ("mysql", "initialize"),
    }


@pytest.mark.parametrize(
    ("preset", "secret"),
    [
        ("restore", "demo-conveyor-mysql-tls"),
        ("existing-secret", "my-certificates"),
        ("own-servers", "my-authority"),
    ],
)
def test_everyone_who_talks_to_mysql_verifies_it(preset: str, secret: str) -> None:
    manifests = PRESETS[preset].rendered()
    files = all_secret_files(manifests)
    settings = manifests.named()["ConfigMap/demo-conveyor-settings"]["data"]
    assert settings["DB_TLS_CA"] == f"{FOLDER}/ca.crt"
    for pod in manifests.pods:
        for container in pod.containers:
            if container.env_from or container.name in {"dump", "backup", "archive", "restore"}:
                found = files[pod.component, container.name]
                assert found == {secret: {"ca.crt"}}, f"{container.name} of {pod.owner}"


def test_a_member_verifies_the_others_and_shows_its_own() -> None:
    manifests = PRESETS["default"].rendered()
    (mysql,) = manifests.pods_of("mysql")
    env = {variable.name: variable.value for variable in mysql.container("agent").env or []}
    assert env["MYSQL_AGENT_TLS_CA"] == f"{FOLDER}/ca.crt"
    assert env["MYSQL_AGENT_TLS_CERTIFICATE"] == f"{FOLDER}/tls.crt"
    assert secret_files(mysql, "agent") == {"demo-conveyor-mysql-tls": {"ca.crt", "tls.crt"}}


def test_without_verification_members_show_what_nobody_asks_for_yet() -> None:
    manifests = render({"mysql": {"tls": {"verify": False}}})
    configuration = manifests.named()["ConfigMap/demo-conveyor-mysql"]["data"]["my.cnf"]
    assert f"ssl_cert={FOLDER}/tls.crt" in configuration
    assert "loose_group_replication_ssl_mode=REQUIRED" in configuration
    assert "DB_TLS_CA" not in manifests.named()["ConfigMap/demo-conveyor-settings"]["data"]


def test_switched_off_nothing_of_it_is_left() -> None:
    manifests = render({"mysql": {"tls": {"enabled": False}}})
    assert not any(all_secret_files(manifests).values())
    assert "CronJob/demo-conveyor-credentials" not in manifests.named()


def certificate_variables(manifests: Manifests) -> list[dict[str, str | None]]:
    return [
        {variable.name: variable.value for variable in pod.container("credentials").env or []}
        for pod in manifests.pods_of("credentials")
    ]


@pytest.mark.parametrize("passwords", ["", "my-passwords"])
def test_certificates_are_made_at_once_and_renewed_daily_by_the_same_program(passwords: str) -> None:
    manifests = render({"credentials": {"existingSecret": passwords}})
    once, daily = certificate_variables(manifests)
    assert once == daily
    assert once["CREDENTIALS_TLS_SECRET"] == "demo-conveyor-mysql-tls"
    assert ("CREDENTIALS_SECRET" in once) == (not passwords)


def test_the_names_are_those_by_which_members_and_services_are_reached() -> None:
    names = str(certificate_variables(PRESETS["default"].rendered())[0]["CREDENTIALS_TLS_NAMES"]).split(",")
    settings = PRESETS["default"].rendered().named()["ConfigMap/demo-conveyor-settings"]["data"]
    assert "*.demo-conveyor-mysql.platform.svc.cluster.local" in names
    assert ip_address("127.0.0.1") in [ip_address(name) for name in names if name[0].isdigit()]
    for variable in ("DB_MASTER_HOST", "DB_SLAVE1_HOST"):
        assert settings[variable].partition(":")[0] in names


def test_an_authority_for_a_server_that_is_not_used_is_refused() -> None:
    with pytest.raises(RenderError, match=r"mysql\.tls\.existingSecret"):
        render({"mysql": {"external": {"tls": {"existingSecret": "my-authority"}}}})


def test_only_a_scaler_that_knows_no_other_way_is_let_in_in_plain() -> None:
    for engine, required in (("hpa", "ON"), ("keda", "OFF")):
        manifests = render({"autoscaling": {"engine": engine}})
        configuration = manifests.named()["ConfigMap/demo-conveyor-mysql"]["data"]["my.cnf"]
        assert f"require_secure_transport={required}" in configuration


def test_programs_of_mysql_verify_whom_they_reach_over_a_network_alone() -> None:
    homes = {
        container.name: {variable.name: variable.value for variable in container.env or []}.get("HOME")
        for preset in ("restore", "point-in-time")
        for pod in PRESETS[preset].rendered().pods
        if pod.component in {"backup", "restore", "point-in-time"}
        for container in pod.containers
    }
    verifying = {name for name, home in homes.items() if home == "/etc/conveyor"}
    # the server of a replay is a socket in its own container, and has a certificate that nobody knows
    assert verifying == {"dump", "backup", "restore"}
    assert "point-in-time" in homes
