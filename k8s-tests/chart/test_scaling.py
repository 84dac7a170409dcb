"""Who is scaled by what, and what may be taken away at a time."""

import pytest

from app.models import TaskStatus
from chart.manifests import Manifests
from chart.presets import PRESETS
from chart.rendering import render


def scaled_by(manifests: Manifests, kind: str) -> dict[str, tuple[int, int]]:
    keys = {
        "HorizontalPodAutoscaler": ("minReplicas", "maxReplicas"),
        "ScaledObject": ("minReplicaCount", "maxReplicaCount"),
    }
    fewest, most = keys[kind]
    return {
        scaler["spec"]["scaleTargetRef"]["name"]: (scaler["spec"][fewest], scaler["spec"][most])
        for scaler in manifests.of(kind)
    }


def test_nobody_sets_the_replicas_of_what_is_scaled(manifests: Manifests) -> None:
    scaled = {**scaled_by(manifests, "HorizontalPodAutoscaler"), **scaled_by(manifests, "ScaledObject")}
    for deployment in manifests.of("Deployment"):
        name = deployment["metadata"]["name"]
        assert ("replicas" in deployment["spec"]) != (name in scaled), name


def test_by_default_api_and_workers_are_scaled_by_their_cpu() -> None:
    manifests = PRESETS["default"].rendered()
    assert scaled_by(manifests, "HorizontalPodAutoscaler") == {
        "demo-conveyor-api": (3, 10),
        "demo-conveyor-worker-default": (2, 10),
    }
    assert manifests.of("ScaledObject") == []


def test_with_keda_the_ledger_scales_the_workers_and_the_cpu_the_api() -> None:
    manifests = PRESETS["everything"].rendered()
    assert set(scaled_by(manifests, "HorizontalPodAutoscaler")) == {"demo-conveyor-api"}
    assert set(scaled_by(manifests, "ScaledObject")) == {
        "demo-conveyor-worker-default",
        "demo-conveyor-worker-reports",
    }


def test_the_question_to_the_ledger_counts_what_is_still_open() -> None:
    manifests = PRESETS["everything"].rendered()
    trigger = manifests.named()["ScaledObject/demo-conveyor-worker-reports"]["spec"]["triggers"][0]
    open_ones = ", ".join(f"'{status.value}'" for status in TaskStatus if not status.is_final)
    counted, _, condition = trigger["metadata"]["query"].partition(" WHERE ")
    assert counted == "SELECT COUNT(*) FROM tasks"
    assert condition == f"status IN ({open_ones}) AND queue IN ('reports', 'mail')"
    assert trigger["metadata"]["queryValue"] == str(4 * 10)
    assert trigger["metadata"]["host"] == "demo-conveyor-mysql-replicas.platform.svc.cluster.local"
    assert all(isinstance(value, str) for value in trigger["metadata"].values())


def test_keda_gets_the_password_from_the_secret_and_is_let_in() -> None:
    manifests = PRESETS["everything"].rendered()
    (authentication,) = manifests.of("TriggerAuthentication")
    assert authentication["spec"]["secretTargetRef"] == [
        {"parameter": "password", "name": "demo-conveyor-credentials", "key": "db-password"}
    ]
    references = {
        scaler["spec"]["triggers"][0]["authenticationRef"]["name"] for scaler in manifests.of("ScaledObject")
    }
    assert references == {authentication["metadata"]["name"]}
    policy = manifests.named()["NetworkPolicy/demo-conveyor-mysql"]["spec"]["ingress"][0]["from"]
    assert {"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "keda"}}} in policy


def test_what_is_scaled_down_goes_slowly(manifests: Manifests) -> None:
    behaviors = [scaler["spec"]["behavior"] for scaler in manifests.of("HorizontalPodAutoscaler")] + [
        scaler["spec"]["advanced"]["horizontalPodAutoscalerConfig"]["behavior"]
        for scaler in manifests.of("ScaledObject")
    ]
    for behavior in behaviors:
        assert behavior["scaleDown"]["stabilizationWindowSeconds"] >= 300


def test_a_drain_may_take_one_pod_at_a_time(manifests: Manifests) -> None:
    for budget in manifests.of("PodDisruptionBudget"):
        assert budget["spec"]["maxUnavailable"] == 1
        assert "minAvailable" not in budget["spec"], "with one replica nothing could ever be drained"


def test_an_update_never_leaves_fewer_than_before(manifests: Manifests) -> None:
    for deployment in manifests.of("Deployment"):
        if not deployment["metadata"]["name"].endswith("-flower"):
            assert deployment["spec"]["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}


def test_pods_of_one_component_are_spread_over_nodes_and_zones(manifests: Manifests) -> None:
    for pod in manifests.pods:
        if pod.component in {"api", "worker", "relay", "mysql"}:
            keys = [one.topology_key for one in pod.spec.topology_spread_constraints or []]
            assert "kubernetes.io/hostname" in keys, pod.owner
            for constraint in pod.spec.topology_spread_constraints or []:
                assert constraint.label_selector
                assert (constraint.label_selector.match_labels or {}).items() <= pod.labels.items()


def test_in_production_two_members_never_share_a_node() -> None:
    (mysql,) = PRESETS["production"].rendered().pods_of("mysql")
    (constraint,) = mysql.spec.topology_spread_constraints or []
    assert (constraint.topology_key, constraint.when_unsatisfiable) == (
        "kubernetes.io/hostname",
        "DoNotSchedule",
    )


def test_each_pool_has_its_own_size_queues_and_resources() -> None:
    manifests = render(
        {
            "workers": {
                "default": {},
                "reports": {
                    "queues": ["reports"],
                    "concurrency": 8,
                    "autoscaling": {"enabled": False},
                    "replicas": 5,
                    "resources": {"limits": {"memory": "4Gi"}},
                },
            }
        }
    )
    (default, reports) = manifests.pods_of("worker")
    env = {variable.name: variable.value for variable in reports.container("worker").env or []}
    assert (env["WORKER_CONCURRENCY"], env["WORKER_QUEUES"]) == ("8", "reports")
    assert "WORKER_QUEUES" not in {variable.name for variable in default.container("worker").env or []}
    assert manifests.named()[reports.owner]["spec"]["replicas"] == 5
    resources = reports.container("worker").resources
    assert resources
    assert resources.limits == {"memory": "4Gi"}
    assert resources.requests == {"cpu": "100m", "memory": "192Mi"}


@pytest.mark.parametrize("component", ["api", "worker", "relay", "flower", "redis", "mysql"])
def test_a_component_may_be_scheduled_in_its_own_way(component: str) -> None:
    own = {"scheduling": {"nodeSelector": {"disk": "ssd"}}}
    values = {"workerDefaults" if component == "worker" else component: own}
    for pod in render(values).pods:
        expected = {"disk": "ssd"} if pod.component == component else None
        assert pod.spec.node_selector == expected, pod.owner
