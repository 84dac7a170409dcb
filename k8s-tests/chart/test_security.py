"""What the restricted Pod Security Standard asks of pods, and what we ask besides."""

import re
from collections.abc import Iterator

import pytest

from chart.manifests import Document, Manifests, Pod
from chart.presets import PRESETS
from chart.rendering import render

SECRET_WORDS = re.compile(r"PASSWORD|SECRET_KEY|BASIC_AUTH|TOKEN|MYSQL_PWD|REDISCLI_AUTH")
ALLOWED_VOLUMES = {"secret", "config_map", "empty_dir", "persistent_volume_claim", "projected"}


def test_every_pod_is_restricted(manifests: Manifests) -> None:
    for pod in manifests.pods:
        security = pod.spec.security_context
        assert security, pod.owner
        assert security.run_as_non_root is True
        assert security.run_as_user
        assert security.run_as_group
        assert security.fs_group
        assert security.seccomp_profile
        assert security.seccomp_profile.type == "RuntimeDefault"
        assert not (pod.spec.host_network)
        assert not (pod.spec.host_pid)
        assert not (pod.spec.host_ipc)


def test_every_container_is_restricted(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            security = container.security_context
            assert security, f"{container.name} of {pod.owner}"
            assert security.allow_privilege_escalation is False
            assert security.read_only_root_filesystem is True
            assert security.capabilities
            assert security.capabilities.drop == ["ALL"]
            assert not security.capabilities.add
            assert not security.privileged
            assert security.run_as_user is None, "the pod decides, for all of its containers"


def test_no_pod_mounts_anything_of_its_node(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for volume in pod.spec.volumes or []:
            kinds = {name for name, value in volume if value is not None} - {"name"}
            assert kinds <= ALLOWED_VOLUMES, f"{volume.name} of {pod.owner}"


def token_mounts(pod: Pod) -> list[str]:
    return [
        container.name
        for container in pod.containers
        for mount in container.volume_mounts or []
        if mount.mount_path.startswith("/var/run/secrets/kubernetes.io")
    ]


def test_the_api_of_kubernetes_is_open_to_those_who_need_it_alone(manifests: Manifests) -> None:
    for pod in manifests.pods:
        assert pod.spec.automount_service_account_token is False, pod.owner
        allowed = {"mysql": ["agent"], "credentials": ["credentials"], "rotate": ["rotate"]}.get(
            pod.component, []
        )
        assert token_mounts(pod) == allowed, pod.owner
    for account in manifests.of("ServiceAccount"):
        assert account["automountServiceAccountToken"] is False


def rules(manifests: Manifests, role: str) -> Iterator[Document]:
    yield from manifests.named()[f"Role/{role}"]["rules"]


def test_the_rights_are_the_least_that_will_do() -> None:
    manifests = PRESETS["default"].rendered()
    assert {role["metadata"]["name"] for role in manifests.of("Role")} == {
        "demo-conveyor-mysql",
        "demo-conveyor-credentials",
        "demo-conveyor-rotate",
    }
    assert manifests.of("ClusterRole") == manifests.of("ClusterRoleBinding") == []
    granted = {
        (resource, verb, tuple(rule.get("resourceNames", ())))
        for role in ("demo-conveyor-mysql", "demo-conveyor-credentials")
        for rule in rules(manifests, role)
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    members = tuple(f"demo-conveyor-mysql-{ordinal}" for ordinal in range(3))
    assert granted == {
        ("pods", "get", members),
        ("pods", "patch", members),
        ("leases", "get", ("demo-conveyor-mysql",)),
        ("leases", "update", ("demo-conveyor-mysql",)),
        ("leases", "create", ()),
        ("events", "create", ()),
        ("secrets", "get", ("demo-conveyor-credentials",)),
        ("secrets", "get", ("demo-conveyor-mysql-tls",)),
        ("secrets", "update", ("demo-conveyor-mysql-tls",)),
        ("secrets", "create", ()),
    }


def test_no_password_is_in_plain_sight(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            for variable in container.env or []:
                if SECRET_WORDS.search(variable.name):
                    assert variable.value is None, f"{variable.name} of {pod.owner}"
    for settings in manifests.of("ConfigMap"):
        assert not [key for key in settings.get("data", {}) if SECRET_WORDS.search(key)]


@pytest.mark.parametrize("name", ["DB_PASSWORD", "SECRET_KEY", "FLOWER_BASIC_AUTH", "REDIS_PASSWORD"])
def test_a_password_among_the_settings_is_refused(name: str) -> None:
    with pytest.raises(Exception, match=name):
        render({"settings": {name: "geheim"}})


def test_the_server_of_the_database_knows_no_password() -> None:
    (mysql,) = PRESETS["default"].rendered().pods_of("mysql")
    for name in ("mysql", "initialize"):
        assert not [
            variable
            for variable in mysql.container(name).env or []
            if variable.value_from and variable.value_from.secret_key_ref
        ]


def test_the_account_of_the_administrator_reaches_those_who_need_it_alone() -> None:
    holders = {
        (pod.component, container.name)
        for pod in PRESETS["restore"].rendered().pods
        for container in pod.containers
        for variable in container.env or []
        if variable.value_from
        and variable.value_from.secret_key_ref
        and variable.value_from.secret_key_ref.key == "db-admin-password"
    }
    assert holders == {("mysql", "accounts"), ("migrate", "migrate"), ("restore", "restore")}


def test_the_addresses_of_services_are_not_poured_into_the_environment(manifests: Manifests) -> None:
    assert {pod.spec.enable_service_links for pod in manifests.pods} == {False}


def test_every_container_says_how_much_memory_it_may_take(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            resources = container.resources
            assert resources
            assert resources.limits
            assert resources.requests
            assert "memory" in resources.limits
            assert {"cpu", "memory"} <= set(resources.requests)


def test_every_image_names_its_version(manifests: Manifests) -> None:
    for pod in manifests.pods:
        for container in pod.containers:
            assert re.search(r":\d[\w.]*(@sha256:[0-9a-f]{64})?$", str(container.image)), container.image


def test_a_digest_decides_and_a_registry_goes_before_every_image() -> None:
    digest = f"sha256:{'0' * 64}"
    images = {
        str(container.image)
        for pod in render(
            {
                "global": {"imageRegistry": "mirror.example.com"},
                "image": {"digest": digest},
                "redis": {"image": {"registry": "own.example.com"}},
            }
        ).pods
        for container in pod.containers
    }
    assert images == {
        f"mirror.example.com/conveyor:0.1.0@{digest}",
        "mirror.example.com/mysql:9.7",
        "own.example.com/redis:8",
    }
