"""Who may talk to whom, decided as a network plugin would decide it."""

from collections.abc import Mapping
from typing import Any

import pytest

from chart.manifests import Document, Manifests, Pod
from chart.presets import PRESETS
from chart.rendering import render

NEEDED = {
    ("api", "redis"): 6379,
    ("api", "mysql"): 3306,
    ("worker", "redis"): 6379,
    ("worker", "mysql"): 3306,
    ("relay", "redis"): 6379,
    ("relay", "mysql"): 3306,
    ("flower", "redis"): 6379,
    ("migrate", "mysql"): 3306,
    ("mysql", "mysql"): 3306,
    ("rotate", "mysql"): 3306,
    ("rotate", "redis"): 6379,
    ("test", "api"): 8000,
    ("test", "flower"): 5555,
    ("test", "redis"): 6379,
    ("test", "mysql"): 3306,
}
COMPONENTS = ("api", "worker", "relay", "flower", "migrate", "redis", "mysql", "credentials", "rotate")
SERVERS = {"api": 8000, "flower": 5555, "redis": 6379, "mysql": 3306}


def matches(selector: Mapping[str, Any], labels: Mapping[str, str]) -> bool:
    expressions = selector.get("matchExpressions", [])
    assert {expression["operator"] for expression in expressions} <= {"In"}
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        labels.get(expression["key"]) in expression["values"] for expression in expressions
    )


def policies_of(manifests: Manifests, pod: Pod) -> list[Document]:
    return [
        policy
        for policy in manifests.of("NetworkPolicy")
        if matches(policy["spec"]["podSelector"], pod.labels)
    ]


def port_of(pod: Pod, port: int | str) -> int:
    names = {port.name: port.container_port for container in pod.containers for port in container.ports or []}
    return port if isinstance(port, int) else int(names[port])


def peer_matches(peers: list[Document], other: Pod) -> bool:
    """Whether a pod of the same namespace is meant; no peer named means everyone."""
    if not peers:
        return True
    return any(
        (
            "podSelector" in peer
            and "namespaceSelector" not in peer
            and matches(peer["podSelector"], other.labels)
        )
        or peer.get("namespaceSelector") == {}
        for peer in peers
    )


def allowed(manifests: Manifests, source: Pod, target: Pod, port: int) -> bool:
    """Whether a connection passes: what leaves must be allowed, and what arrives."""
    leaves = any(
        peer_matches(rule.get("to", []), target)
        and ("ports" not in rule or port in {one["port"] for one in rule["ports"]})
        for policy in policies_of(manifests, source)
        for rule in policy["spec"].get("egress", [])
    )
    arrives = any(
        peer_matches(rule.get("from", []), source)
        and port in {port_of(target, one["port"]) for one in rule["ports"]}
        for policy in policies_of(manifests, target)
        for rule in policy["spec"].get("ingress", [])
    )
    return leaves and arrives


def one(manifests: Manifests, component: str) -> Pod:
    return manifests.pods_of(component)[0]


@pytest.mark.parametrize(("source", "target"), NEEDED)
def test_what_the_system_needs_passes(source: str, target: str) -> None:
    manifests = PRESETS["default"].rendered()
    assert allowed(manifests, one(manifests, source), one(manifests, target), NEEDED[source, target])


def test_nothing_else_passes() -> None:
    manifests = PRESETS["default"].rendered()
    passing = {
        (source, target)
        for source in COMPONENTS
        for target, port in SERVERS.items()
        if allowed(manifests, one(manifests, source), one(manifests, target), port)
    }
    assert passing == {pair for pair in NEEDED if pair[0] != "test"}


def test_every_pod_is_under_exactly_one_policy_in_both_directions(manifests: Manifests) -> None:
    if not manifests.of("NetworkPolicy"):
        return
    for pod in manifests.pods:
        policies = policies_of(manifests, pod)
        assert len(policies) == 1, pod.owner
        assert policies[0]["spec"]["policyTypes"] == ["Ingress", "Egress"]


def test_a_backup_reaches_the_database_and_nothing_else() -> None:
    manifests = PRESETS["restore"].rendered()
    for component in ("backup", "archive", "restore"):
        source = one(manifests, component)
        reached = {
            target
            for target, port in SERVERS.items()
            if allowed(manifests, source, one(manifests, target), port)
        }
        assert reached == {"mysql"}


def test_names_can_be_looked_up_by_whoever_connects(manifests: Manifests) -> None:
    for policy in manifests.of("NetworkPolicy"):
        egress = policy["spec"].get("egress", [])
        if egress:
            ports = [port["port"] for rule in egress for port in rule.get("ports", [])]
            assert 53 in ports or egress == [{}], policy["metadata"]["name"]


def test_the_api_of_kubernetes_is_reached_by_those_who_ask_it_alone() -> None:
    manifests = PRESETS["default"].rendered()
    reaching = {
        policy["metadata"]["name"].removeprefix("demo-conveyor-")
        for policy in manifests.of("NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if "ipBlock" in (rule.get("to") or [{}])[0]
    }
    assert reaching == {"mysql", "credentials", "rotate"}


def test_clients_that_are_named_come_in_and_others_do_not() -> None:
    manifests = PRESETS["everything"].rendered()
    policy = manifests.named()["NetworkPolicy/demo-conveyor-api"]["spec"]["ingress"][0]
    assert policy["from"][0] == {"namespaceSelector": {"matchLabels": {"name": "ingress"}}}
    assert allowed(manifests, one(manifests, "test"), one(manifests, "api"), 8000)
    assert not allowed(manifests, one(manifests, "worker"), one(manifests, "api"), 8000)


def test_external_servers_are_reached_at_their_ports() -> None:
    manifests = PRESETS["own-servers"].rendered()
    egress = manifests.named()["NetworkPolicy/demo-conveyor-worker-default"]["spec"]["egress"]
    assert {port["port"] for rule in egress for port in rule["ports"]} == {53, 6380, 3306, 3307}


@pytest.mark.parametrize(
    ("endpoint", "port"),
    [
        ("http://collector.monitoring:4318", 4318),
        ("https://collector.example.com", 443),
        ("http://collector/otlp:9", 80),
        ("https://collector:8443/otlp/", 8443),
    ],
)
def test_who_traces_reaches_the_collector_and_nobody_else_does(endpoint: str, port: int) -> None:
    manifests = render({"tracing": {"enabled": True, "endpoint": endpoint}})
    reaching = {
        policy["metadata"]["name"].removeprefix("demo-conveyor-")
        for policy in manifests.of("NetworkPolicy")
        for rule in policy["spec"].get("egress", [])
        if rule.get("ports") == [{"port": port}] and "to" not in rule
    }
    assert reaching == {"api", "relay", "worker-default"}


def test_the_way_to_the_collector_can_be_narrowed() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "monitoring"}}}
    values = {
        "tracing": {"enabled": True, "endpoint": "http://c:4318"},
        "networkPolicy": {"collector": [peer]},
    }
    egress = render(values).named()["NetworkPolicy/demo-conveyor-api"]["spec"]["egress"]
    assert {"ports": [{"port": 4318}], "to": [peer]} in egress


def test_a_pool_may_reach_further() -> None:
    mail = {"ports": [{"port": 587}], "to": [{"ipBlock": {"cidr": "192.0.2.0/24"}}]}
    manifests = render({"workers": {"default": {"extraEgress": [mail]}}})
    assert mail in manifests.named()["NetworkPolicy/demo-conveyor-worker-default"]["spec"]["egress"]
    assert mail not in manifests.named()["NetworkPolicy/demo-conveyor-api"]["spec"]["egress"]
