"""Objects that say which daemon of the control plane may do what."""

from collections.abc import Sequence

RBAC = "rbac.authorization.k8s.io"
READ = ("get", "list", "watch")

Resource = dict[str, object]
Rule = dict[str, list[str]]


def rule(verbs: Sequence[str], group: str, *resources: str) -> Rule:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def access(daemon: str, rules: list[Rule]) -> list[Resource]:
    """Allow a daemon what the rules say, in the whole cluster."""
    name = f"conveyor:{daemon}"
    role: Resource = {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRole",
        "metadata": {"name": name},
        "rules": rules,
    }
    return [role, binding(name, daemon, name)]


def binding(name: str, daemon: str, role: str) -> Resource:
    return {
        "apiVersion": f"{RBAC}/v1",
        "kind": "ClusterRoleBinding",
        "metadata": {"name": name},
        "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        "subjects": [{"apiGroup": RBAC, "kind": "User", "name": f"conveyor:{daemon}"}],
    }
