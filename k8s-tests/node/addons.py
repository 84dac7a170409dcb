"""Objects that a cluster has from the start: DNS, metrics, storage, an Ingress class, and access to them."""

import base64

from node.control_plane import METRICS_PORT
from node.plan import CONTROL_ADDRESS, DNS_SERVICE
from node.rbac import RBAC, READ, access, binding, rule
from node.storage import provisioner_rules, storage_objects

INGRESS_CLASS = "conveyor-test"
INGRESS_CONTROLLER = "conveyor.test/haproxy"
SYSTEM = "kube-system"

Resource = dict[str, object]


def all_addons(authority: bytes) -> list[Resource]:
    """Return the objects in the order in which they can be made."""
    return [
        *_service("kube-dns", str(DNS_SERVICE), {"dns": (53, "UDP"), "dns-tcp": (53, "TCP")}),
        *access("coredns", [rule(READ, "", "endpoints", "services", "pods", "namespaces"), _SLICES]),
        *_service("metrics-server", None, {"https": (METRICS_PORT, "TCP")}),
        *_metrics_access(),
        _metrics_api(authority),
        *storage_objects(),
        *access("local-path-provisioner", provisioner_rules()),
        *_ingress(),
        *access(
            "network-policy",
            [rule(READ, "", "pods", "namespaces"), rule(READ, "networking.k8s.io", "networkpolicies")],
        ),
    ]


def _service(name: str, address: str | None, ports: dict[str, tuple[int, str]]) -> list[Resource]:
    """Return a Service whose only endpoint is a daemon of the control plane."""
    metadata = {"name": name, "namespace": SYSTEM}
    listed = [{"name": key, "port": port, "protocol": protocol} for key, (port, protocol) in ports.items()]
    spec: Resource = {"ports": listed} | ({"clusterIP": address} if address else {})
    service: Resource = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    slices: Resource = {
        "apiVersion": "discovery.k8s.io/v1",
        "kind": "EndpointSlice",
        "metadata": metadata | {"labels": {"kubernetes.io/service-name": name}},
        "addressType": "IPv4",
        "ports": listed,
        "endpoints": [{"addresses": [str(CONTROL_ADDRESS)], "conditions": {"ready": True}}],
    }
    return [service, slices]


_SLICES = rule(READ, "discovery.k8s.io", "endpointslices")


def _metrics_access() -> list[Resource]:
    reader: Resource = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "metrics-server-auth-reader", "namespace": SYSTEM},
        "roleRef": {
            "apiGroup": RBAC,
            "kind": "Role",
            "name": "extension-apiserver-authentication-reader",
        },
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": "conveyor:metrics-server"}],
    }
    rules = [rule(["get"], "", "nodes/metrics"), rule(READ, "", "nodes", "pods")]
    aggregated: Resource = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {
            "name": "conveyor:metrics-reader",
            "labels": {f"{RBAC}/aggregate-to-{role}": "true" for role in ("admin", "edit", "view")},
        },
        "rules": [rule(READ, "metrics.k8s.io", "nodes", "pods")],
    }
    delegator = binding("conveyor:metrics-server:delegator", "metrics-server", "system:auth-delegator")
    return [*access("metrics-server", rules), delegator, reader, aggregated]


def _metrics_api(authority: bytes) -> Resource:
    return {
        "apiVersion": "apiregistration.k8s.io/v1",
        "kind": "APIService",
        "metadata": {"name": "v1beta1.metrics.k8s.io"},
        "spec": {
            "group": "metrics.k8s.io",
            "version": "v1beta1",
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "caBundle": base64.b64encode(authority).decode(),
            "service": {"name": "metrics-server", "namespace": SYSTEM, "port": METRICS_PORT},
        },
    }


def _ingress() -> list[Resource]:
    ingress_class: Resource = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "IngressClass",
        "metadata": {
            "name": INGRESS_CLASS,
            "annotations": {"ingressclass.kubernetes.io/is-default-class": "true"},
        },
        "spec": {"controller": INGRESS_CONTROLLER},
    }
    rules = [
        rule(READ, "", "services"),
        _SLICES,
        rule(READ, "networking.k8s.io", "ingresses"),
        rule(["patch"], "networking.k8s.io", "ingresses/status"),
    ]
    return [ingress_class, *access("ingress", rules)]
