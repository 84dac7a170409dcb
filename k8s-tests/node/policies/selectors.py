"""Which pods a NetworkPolicy speaks of. Pure."""

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Resource = Mapping[str, Any]
ENDED = ("Succeeded", "Failed")


@dataclass(frozen=True)
class Pod:
    namespace: str
    name: str
    labels: Mapping[str, str]
    address: str
    node: str
    ports: Mapping[str, int]  # by name


@dataclass(frozen=True)
class World:
    """The pods that have an address, the labels of namespaces, and all policies."""

    pods: tuple[Pod, ...]
    namespaces: Mapping[str, Mapping[str, str]]
    policies: tuple[Resource, ...]


def world(
    pods: tuple[Resource, ...], namespaces: tuple[Resource, ...], policies: tuple[Resource, ...]
) -> World:
    """Read what the API server lists; policies are not for pods in the network of their node."""
    return World(
        tuple(
            _pod(item)
            for item in pods
            if item["status"].get("podIP")
            and not item["spec"].get("hostNetwork")
            and item["status"].get("phase") not in ENDED
        ),
        {item["metadata"]["name"]: item["metadata"].get("labels") or {} for item in namespaces},
        policies,
    )


def _pod(item: Resource) -> Pod:
    metadata, spec = item["metadata"], item["spec"]
    containers = [*spec["containers"], *spec.get("initContainers", [])]
    ports = {
        port["name"]: int(port["containerPort"])
        for container in containers
        for port in container.get("ports", [])
        if "name" in port
    }
    return Pod(
        metadata["namespace"],
        metadata["name"],
        metadata.get("labels") or {},
        item["status"]["podIP"],
        spec.get("nodeName", ""),
        ports,
    )


def matches(selector: Resource, labels: Mapping[str, str]) -> bool:
    """Apply a LabelSelector; an empty one takes everything."""
    wanted = selector.get("matchLabels") or {}
    expressions = selector.get("matchExpressions") or []
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _holds(expression, labels) for expression in expressions
    )


def _holds(expression: Resource, labels: Mapping[str, str]) -> bool:
    key, values = expression["key"], expression.get("values") or []
    match expression["operator"]:
        case "In":
            return labels.get(key) in values
        case "NotIn":
            return labels.get(key) not in values
        case "Exists":
            return key in labels
        case "DoesNotExist":
            return key not in labels
        case unknown:
            raise ValueError(f"a selector has the unknown operator {unknown}")


def peer_pods(peer: Resource, namespace: str, seen: World) -> Iterator[Pod]:
    """Yield the pods that a peer of a rule names; without a namespaceSelector those of the policy's own."""
    for pod in seen.pods:
        if "namespaceSelector" in peer:
            inside = matches(peer["namespaceSelector"], seen.namespaces.get(pod.namespace, {}))
        else:
            inside = pod.namespace == namespace
        if inside and matches(peer.get("podSelector") or {}, pod.labels):
            yield pod


def block_ranges(block: Resource) -> list[str]:
    """Return the networks of an ipBlock, less those that it excepts."""
    left = [ipaddress.ip_network(block["cidr"])]
    for excepted in map(ipaddress.ip_network, block.get("except") or []):
        left = [part for network in left for part in _without(network, excepted)]
    return sorted(map(str, left))


def _without(
    network: ipaddress.IPv4Network | ipaddress.IPv6Network,
    excepted: ipaddress.IPv4Network | ipaddress.IPv6Network,
) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    if not network.overlaps(excepted):
        return [network]
    return list(network.address_exclude(excepted))  # type: ignore[arg-type]
