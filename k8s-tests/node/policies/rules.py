"""NetworkPolicies as rules of iptables for the pods of one node. Pure.

The rules stand in the mangle table: a packet passes it before kube-proxy's rules in the filter table,
and after a Service's address was replaced by a pod's.
"""

import hashlib
from collections.abc import Iterable, Iterator, Mapping

from node.policies.selectors import Pod, Resource, World, block_ranges, matches, peer_pods

TABLE = "mangle"
MAIN = "CONVEYOR-POLICY"
PREFIX = "CONVEYOR-POD-"
INGRESS, EGRESS = "Ingress", "Egress"
RULES = {INGRESS: ("ingress", "from", "-s"), EGRESS: ("egress", "to", "-d")}

Chains = Mapping[str, tuple[str, ...]]


def chains(seen: World, node: str) -> Chains:
    """Return the rules of each chain; MAIN is the one that every forwarded packet has to pass."""
    main = ["-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN"]
    found: dict[str, tuple[str, ...]] = {}
    for pod in sorted(seen.pods, key=lambda pod: (pod.namespace, pod.name)):
        if pod.node != node:
            continue
        for direction, own_side in ((EGRESS, "-s"), (INGRESS, "-d")):
            policies = [policy for policy in seen.policies if _applies(policy, pod, direction)]
            if policies:
                name = chain_name(pod, direction)
                main.append(f"{own_side} {pod.address} -j {name}")
                allowed = (line for policy in policies for line in _allowed(policy, pod, direction, seen))
                found[name] = (*dict.fromkeys(allowed), "-j DROP")
    return {MAIN: tuple(main)} | found


def restore_input(wanted: Chains, present: Iterable[str]) -> str:
    """Return the input of `iptables-restore --noflush`: all chains at once, and old ones removed."""
    old = sorted(name for name in present if name.startswith(PREFIX) and name not in wanted)
    lines = [
        f"*{TABLE}",
        *(f":{name} - [0:0]" for name in (*wanted, *old)),
        *(f"-A {name} {rule}" for name, rules in wanted.items() for rule in rules),
        *(f"-X {name}" for name in old),
        "COMMIT",
    ]
    return "\n".join(lines) + "\n"


def chain_name(pod: Pod, direction: str) -> str:
    digest = hashlib.sha256(f"{pod.namespace}/{pod.name}/{direction}".encode()).hexdigest()[:10]
    return f"{PREFIX}{digest}"


def _applies(policy: Resource, pod: Pod, direction: str) -> bool:
    spec = policy["spec"]
    types = spec.get("policyTypes") or [INGRESS, *([EGRESS] if spec.get("egress") else [])]
    inside = policy["metadata"]["namespace"] == pod.namespace
    return bool(inside and direction in types and matches(spec.get("podSelector") or {}, pod.labels))


def _allowed(policy: Resource, pod: Pod, direction: str, seen: World) -> Iterator[str]:
    rules, peers, far_side = RULES[direction]
    for rule in policy["spec"].get(rules) or []:
        ports = rule.get("ports") or []
        if not rule.get(peers):  # none named: everyone
            yield from _lines("", ports, pod.ports)
        for peer in rule.get(peers) or []:
            if "ipBlock" in peer:
                for network in block_ranges(peer["ipBlock"]):
                    yield from _lines(f"{far_side} {network} ", ports, pod.ports)
                continue
            for other in peer_pods(peer, policy["metadata"]["namespace"], seen):
                # a port's name is one of the pod that is spoken to
                named = pod.ports if direction == INGRESS else other.ports
                yield from _lines(f"{far_side} {other.address} ", ports, named)


def _lines(far: str, ports: Iterable[Resource], named: Mapping[str, int]) -> Iterator[str]:
    listed = list(ports)
    if not listed:
        yield f"{far}-j RETURN"
    for port in listed:
        protocol = str(port.get("protocol", "TCP")).lower()
        number = port.get("port")
        if isinstance(number, str):
            if number not in named:
                continue
            number = named[number]
        last = f":{port['endPort']}" if "endPort" in port else ""
        destination = f" --dport {number}{last}" if number is not None else ""
        yield f"{far}-p {protocol}{destination} -j RETURN"
