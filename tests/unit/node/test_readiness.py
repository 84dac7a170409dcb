"""When pods may be put on a node."""

from typing import Any

import pytest

from node.up import obstacle_to_pods

READY = {"type": "Ready", "status": "True", "message": "kubelet is posting ready status"}
NOT_READY = {"type": "Ready", "status": "False", "message": "container runtime is down"}
LATE = {"key": "node.kubernetes.io/not-ready", "effect": "NoSchedule"}
PREFERENCE = {"key": "spot", "effect": "PreferNoSchedule"}


@pytest.mark.parametrize(
    ("conditions", "spec", "obstacle"),
    [
        ([], {}, "it has not reported yet"),
        ([NOT_READY], {}, "container runtime is down"),
        ([READY], {"taints": [LATE]}, "it is tainted with node.kubernetes.io/not-ready"),
        ([READY], {"taints": [PREFERENCE]}, ""),
        ([READY], {}, ""),
    ],
)
def test_a_node_takes_pods_when_it_is_ready_and_not_tainted_any_more(
    conditions: list[dict[str, str]], spec: dict[str, Any], obstacle: str
) -> None:
    assert obstacle_to_pods({"spec": spec, "status": {"conditions": conditions}}) == obstacle
