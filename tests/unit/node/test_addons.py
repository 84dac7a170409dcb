from typing import Any, cast

import pytest

from node.addons import all_addons
from node.api import resource_path
from node.identities import subjects

ADDONS = [cast("dict[str, Any]", addon) for addon in all_addons(b"authority")]


def by_kind(kind: str) -> list[dict[str, Any]]:
    return [addon for addon in ADDONS if addon["kind"] == kind]


@pytest.mark.parametrize("addon", ADDONS, ids=lambda addon: f"{addon['kind']} {addon['metadata']['name']}")
def test_every_object_has_a_place(addon: dict[str, Any]) -> None:
    assert resource_path(addon).endswith(f"/{addon['metadata']['name']}")


def test_a_core_object_and_one_of_a_group_live_where_the_api_server_has_them() -> None:
    service = {"apiVersion": "v1", "kind": "Service", "metadata": {"name": "a", "namespace": "b"}}
    assert resource_path(service) == "/api/v1/namespaces/b/services/a"
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "ClusterRole", "metadata": {"name": "a"}}
    assert resource_path(role) == "/apis/rbac.authorization.k8s.io/v1/clusterroles/a"


def test_the_only_storage_class_and_the_only_ingress_class_are_the_defaults() -> None:
    (storage,), (ingress,) = by_kind("StorageClass"), by_kind("IngressClass")
    assert storage["metadata"]["annotations"]["storageclass.kubernetes.io/is-default-class"] == "true"
    assert ingress["metadata"]["annotations"]["ingressclass.kubernetes.io/is-default-class"] == "true"


def test_whoever_is_allowed_something_has_a_certificate() -> None:
    users = {subject.name for subject in subjects(()).values()}
    bound = {
        subject["name"]
        for binding in (*by_kind("ClusterRoleBinding"), *by_kind("RoleBinding"))
        for subject in binding["subjects"]
    }
    assert bound <= users


def test_a_volume_stays_on_its_node_and_waits_for_its_pod() -> None:
    (storage,) = by_kind("StorageClass")
    assert storage["volumeBindingMode"] == "WaitForFirstConsumer"
    assert storage["metadata"]["annotations"]["defaultVolumeType"] == "local"
