from typing import Any

import pytest

from node.policies.rules import MAIN, chain_name, chains, restore_input
from node.policies.selectors import Pod, World, block_ranges, matches, world

API = Pod("shop", "api-0", {"app": "api"}, "10.244.1.2", "node1", {"http": 8000})
REDIS = Pod("shop", "redis-0", {"app": "redis"}, "10.244.1.3", "node1", {"redis": 6379})
WORKER = Pod("shop", "worker-0", {"app": "worker"}, "10.244.2.2", "node2", {})
STRANGER = Pod("other", "curl", {"app": "worker"}, "10.244.2.3", "node2", {})
PODS = (API, REDIS, WORKER, STRANGER)
NAMESPACES = {"shop": {"team": "shop"}, "other": {"team": "other"}}


def policy(app: str, **spec: object) -> dict[str, Any]:
    selector = {"matchLabels": {"app": app}} if app else {}
    return {"metadata": {"namespace": "shop", "name": "policy"}, "spec": {"podSelector": selector} | spec}


def rules(pod: Pod, direction: str, *policies: dict[str, Any]) -> tuple[str, ...] | None:
    """Return what a pod's chain says, or nothing where the pod is free."""
    return chains(World(PODS, NAMESPACES, policies), pod.node).get(chain_name(pod, direction))


def test_a_pod_that_no_policy_selects_is_free() -> None:
    assert rules(API, "Ingress", policy("redis", ingress=[])) is None
    assert chains(World(PODS, NAMESPACES, ()), "node1") == {
        MAIN: ("-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN",)
    }


def test_a_policy_without_rules_lets_nothing_in_and_everything_out() -> None:
    assert rules(REDIS, "Ingress", policy("redis")) == ("-j DROP",)
    assert rules(REDIS, "Egress", policy("redis")) is None


def test_a_peer_without_a_namespace_is_of_the_same_namespace() -> None:
    peer = {"podSelector": {"matchLabels": {"app": "worker"}}}
    found = rules(REDIS, "Ingress", policy("redis", ingress=[{"from": [peer], "ports": [{"port": 6379}]}]))
    assert found == ("-s 10.244.2.2 -p tcp --dport 6379 -j RETURN", "-j DROP")


def test_a_peer_may_be_of_namespaces_that_carry_a_label() -> None:
    peer = {"namespaceSelector": {"matchLabels": {"team": "other"}}}
    found = rules(REDIS, "Ingress", policy("redis", ingress=[{"from": [peer]}]))
    assert found == ("-s 10.244.2.3 -j RETURN", "-j DROP")


def test_policies_add_up() -> None:
    one = policy("redis", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "worker"}}}]}])
    two = policy("", ingress=[{"from": [{"podSelector": {"matchLabels": {"app": "api"}}}]}])
    assert rules(REDIS, "Ingress", one, two) == (
        "-s 10.244.2.2 -j RETURN",
        "-s 10.244.1.2 -j RETURN",
        "-j DROP",
    )


def test_a_rule_without_peers_is_for_everyone_on_its_ports() -> None:
    found = rules(API, "Ingress", policy("api", ingress=[{"from": [], "ports": [{"port": "http"}]}]))
    assert found == ("-p tcp --dport 8000 -j RETURN", "-j DROP")


def test_on_the_way_out_a_ports_name_is_the_others() -> None:
    rule = {"to": [{"podSelector": {"matchLabels": {"app": "redis"}}}], "ports": [{"port": "redis"}]}
    found = rules(API, "Egress", policy("api", policyTypes=["Egress"], egress=[rule]))
    assert found == ("-d 10.244.1.3 -p tcp --dport 6379 -j RETURN", "-j DROP")
    assert rules(API, "Ingress", policy("api", policyTypes=["Egress"], egress=[rule])) is None


def test_a_range_of_ports_and_another_protocol_are_taken_as_written() -> None:
    ports = [{"port": 53, "protocol": "UDP"}, {"port": 1000, "endPort": 2000}]
    found = rules(API, "Egress", policy("api", egress=[{"ports": ports}]))
    assert found == ("-p udp --dport 53 -j RETURN", "-p tcp --dport 1000:2000 -j RETURN", "-j DROP")


def test_a_node_judges_its_own_pods_only() -> None:
    found = chains(World(PODS, NAMESPACES, (policy(""),)), "node2")
    assert set(found) == {MAIN, chain_name(WORKER, "Ingress")}


def test_a_block_is_less_what_it_excepts() -> None:
    assert block_ranges({"cidr": "10.0.0.0/30", "except": ["10.0.0.2/32"]}) == ["10.0.0.0/31", "10.0.0.3/32"]
    assert block_ranges({"cidr": "10.0.0.0/8"}) == ["10.0.0.0/8"]


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ({"key": "app", "operator": "In", "values": ["api", "redis"]}, True),
        ({"key": "app", "operator": "NotIn", "values": ["api"]}, False),
        ({"key": "tier", "operator": "NotIn", "values": ["api"]}, True),
        ({"key": "app", "operator": "Exists"}, True),
        ({"key": "app", "operator": "DoesNotExist"}, False),
    ],
)
def test_expressions_select_as_in_kubernetes(expression: dict[str, Any], expected: bool) -> None:  # noqa: FBT001
    assert matches({"matchExpressions": [expression]}, {"app": "api"}) is expected


def test_chains_of_pods_that_are_gone_are_removed() -> None:
    text = restore_input({MAIN: ("-j RETURN",)}, [MAIN, "FORWARD", "CONVEYOR-POD-0123456789"])
    assert text.splitlines() == [
        "*mangle",
        ":CONVEYOR-POLICY - [0:0]",
        ":CONVEYOR-POD-0123456789 - [0:0]",
        "-A CONVEYOR-POLICY -j RETURN",
        "-X CONVEYOR-POD-0123456789",
        "COMMIT",
    ]


def test_pods_without_an_address_of_their_own_are_not_looked_at() -> None:
    def pod(name: str, host_network: bool, phase: str, address: str) -> dict[str, Any]:  # noqa: FBT001
        return {
            "metadata": {"namespace": "shop", "name": name},
            "spec": {"nodeName": "node1", "hostNetwork": host_network, "containers": []},
            "status": {"phase": phase} | ({"podIP": address} if address else {}),
        }

    seen = world(
        (
            pod("runs", host_network=False, phase="Running", address="10.244.1.2"),
            pod("hosts", host_network=True, phase="Running", address="10.10.0.11"),
            pod("ended", host_network=False, phase="Succeeded", address="10.244.1.3"),
            pod("waits", host_network=False, phase="Pending", address=""),
        ),
        (),
        (),
    )
    assert [found.name for found in seen.pods] == ["runs"]
