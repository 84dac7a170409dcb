"""Values that contradict each other or the cluster end in one sentence that says what to change."""

from typing import Any

import pytest

from chart.presets import OWN_SERVERS
from chart.rendering import CUSTOM_APIS, HELM_VERSIONS, RenderError, render

GATEWAY = {"enabled": True, "parentRefs": [{"name": "gateway"}]}
EXTERNAL = {"enabled": True, "host": "example.com"}
CONTRADICTIONS: dict[str, tuple[dict[str, Any], str]] = {
    "two ways in": ({"httpRoute": GATEWAY}, "choose one and set the other to false"),
    "route without gateway": (
        {"ingress": {"enabled": False}, "httpRoute": {"enabled": True}},
        "name it in httpRoute.parentRefs",
    ),
    "flower without a password": (
        {"flower": {"basicAuthKey": ""}},
        "set flower.basicAuthKey to the key of the Secret that holds user:password",
    ),
    "a route to no flower": (
        {"flower": {"enabled": False, "route": True}},
        "set flower.enabled=true or flower.route=false",
    ),
    "a route to flower without a way in": (
        {"flower": {"route": True}, "ingress": {"enabled": False}},
        "set ingress.enabled or httpRoute.enabled to true",
    ),
    "traces to nowhere": ({"tracing": {"enabled": True}}, "tracing.enabled and tracing.endpoint go together"),
    "a collector without traces": (
        {"tracing": {"endpoint": "http://collector:4318"}},
        "tracing.enabled and tracing.endpoint go together",
    ),
    "no pool": ({"workers": {"default": None}}, "name at least one pool"),
    "a queue that nobody reads": (
        {"workers": {"default": {"queues": ["mail"]}}},
        'no pool of workers takes from the queue "default"',
    ),
    "another queue that nobody reads": (
        {"settings": {"TASK_QUEUE": "work"}, "workerDefaults": {"queues": ["default"]}},
        'no pool of workers takes from the queue "work"',
    ),
    "fixed and scaled api": ({"api": {"replicas": 3}}, "api.replicas is fixed while"),
    "fixed and scaled pool": ({"workers": {"default": {"replicas": 3}}}, "workers.default.replicas is fixed"),
    "fewest above most": ({"api": {"autoscaling": {"minReplicas": 20}}}, "raise maxReplicas"),
    "scaled by nothing": (
        {"api": {"resources": {"requests": {"cpu": None}}}},
        "set api.resources.requests.cpu, or autoscaling.enabled=false",
    ),
    "even group": ({"mysql": {"replicas": 4}}, "take an odd number"),
    "mysql nowhere": ({"mysql": {"external": {"enabled": True}}}, "set mysql.external.host"),
    "redis nowhere": ({"redis": {"external": {"enabled": True}}}, "set redis.external.host"),
    "host without a switch": (
        {"mysql": {"external": {"host": "db.example.com"}}},
        "set mysql.external.enabled=true, or remove the host",
    ),
    "unknown password of mysql": (
        {"mysql": {"external": EXTERNAL}},
        "name that in credentials.existingSecret",
    ),
    "unknown password of redis": (
        {"redis": {"external": EXTERNAL}},
        'set redis.external.passwordKey to "" if it asks for none',
    ),
    "a buffer pool without room": (
        {"mysql": {"bufferPool": "1G"}},
        "mysql.bufferPool is 1G, which a memory limit of 1536Mi has no room for",
    ),
    "a queue without room": (
        {"redis": {"maxMemory": "2gb", "resources": {"limits": {"memory": "2.5Gi"}}}},
        "raise redis.resources.limits.memory",
    ),
    "restore from nowhere": ({"restore": {"from": "a.sql.gz"}}, "set backup.enabled=true"),
    "a second of an external MySQL": (
        {**OWN_SERVERS, "backup": {"enabled": True, "pointInTime": {"enabled": True}}},
        "the log of an external MySQL is its operator's",
    ),
    "an archive without dumps": ({"backup": {"pointInTime": {"enabled": True}}}, "set backup.enabled=true"),
    "a second without an archive": (
        {"backup": {"enabled": True}, "restore": {"until": "2026-11-25T10:00:00Z"}},
        "set backup.pointInTime.enabled=true",
    ),
    "both ways back": (
        {
            "backup": {"enabled": True, "pointInTime": {"enabled": True}},
            "restore": {"until": "2026-11-25T10:00:00Z", "from": "a.sql.gz"},
        },
        "first set restore.until alone",
    ),
    "a bucket without keys": (
        {"backup": {"enabled": True, "s3": {"enabled": True, "path": "b/c"}}},
        "set backup.s3.path and backup.s3.existingSecret",
    ),
    "a bucket that forgets first": (
        {"backup": {"s3": {"enabled": True, "path": "b/c", "existingSecret": "s", "retentionDays": 7}}},
        "backup.s3.retentionDays is less than backup.retentionDays",
    ),
}
MISSING: dict[str, tuple[dict[str, Any], str]] = {
    "HTTPRoute": ({"ingress": {"enabled": False}, "httpRoute": GATEWAY}, "install the Gateway API"),
    "ScaledObject": ({"autoscaling": {"engine": "keda"}}, "install KEDA, or set autoscaling.engine=hpa"),
    "PodMonitor": ({"monitoring": {"enabled": True}}, "install the Prometheus operator"),
    "ServiceMonitor": ({"monitoring": {"enabled": True}}, "install the Prometheus operator"),
    "PrometheusRule": ({"monitoring": {"enabled": True}}, "or set monitoring.rules=false"),
}


@pytest.mark.parametrize(("values", "cure"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_contradiction_is_refused_with_its_cure(values: dict[str, Any], cure: str) -> None:
    with pytest.raises(RenderError) as refused:
        render(values)
    assert cure in str(refused.value)


@pytest.mark.parametrize(
    ("kind", "values", "cure"), [(kind, *case) for kind, case in MISSING.items()], ids=MISSING
)
def test_what_the_cluster_lacks_is_named_with_its_cure(kind: str, values: dict[str, Any], cure: str) -> None:
    present = tuple(api for api in CUSTOM_APIS if not api.endswith(f"/{kind}"))
    with pytest.raises(RenderError) as refused:
        render(values, apis=present)
    assert f"the cluster has no {kind}" in str(refused.value)
    assert cure in str(refused.value)
    assert render(values).documents


@pytest.mark.parametrize(
    ("values", "named"),
    [
        ({"replicaCount": 3}, "replicaCount"),
        ({"api": {"replica": 3}}, "replica"),
        ({"mysql": {"external": {"hostname": "db"}}}, "hostname"),
        ({"workers": {"default": {"concurency": 3}}}, "concurency"),
        ({"settings": {"LOG_LEVELL": "INFO"}}, "LOG_LEVELL"),
    ],
)
def test_an_unknown_value_is_refused_by_name(values: dict[str, Any], named: str) -> None:
    for helm in HELM_VERSIONS:
        with pytest.raises(RenderError) as refused:
            render(values, helm=helm)
        assert f"'{named}'" in str(refused.value) or f" {named} " in str(refused.value)


def test_values_for_all_charts_are_let_through() -> None:
    assert render({"global": {"storageClass": "fast", "anything": {"else": 1}}}).documents


def test_memory_that_suffices_is_let_through_however_it_is_written() -> None:
    for limit in ("3Gi", "3G", "3072Mi", "4294967296", 4294967296):
        assert render({"mysql": {"bufferPool": "1G", "resources": {"limits": {"memory": limit}}}}).documents
