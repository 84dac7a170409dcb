"""Sets of values under which every law of the chart must hold."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from chart.manifests import Manifests
from chart.rendering import render


@dataclass(frozen=True)
class Preset:
    files: tuple[str, ...] = ()
    values: Mapping[str, Any] = field(default_factory=dict)

    def rendered(self, helm: str = "4.1", kubernetes: str = "1.34") -> Manifests:
        return render(self.values, presets=self.files, helm=helm, kubernetes=kubernetes)


OWN_SERVERS: dict[str, Any] = {
    "credentials": {"existingSecret": "my-passwords"},
    "mysql": {
        "external": {
            "enabled": True,
            "host": "db.example.com",
            "tls": {"existingSecret": "my-authority"},
            "replicaHosts": ["db-r1.example.com:3306", "db-r2.example.com:3307"],
        }
    },
    "redis": {"external": {"enabled": True, "host": "redis.example.com", "port": 6380, "database": 2}},
}
EVERYTHING = {
    "global": {"imageRegistry": "registry.example.com", "imagePullSecrets": [{"name": "pull"}]},
    "commonLabels": {"team": "platform"},
    "settings": {"LOG_LEVEL": "DEBUG", "MAX_BODY_BYTES": 2097152, "READ_YOUR_WRITES_TIMEOUT_SECONDS": 0.25},
    "scheduling": {
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "spot", "operator": "Exists"}],
        "priorityClassName": "important",
    },
    "autoscaling": {"engine": "keda"},
    "workers": {
        "default": {"queues": ["default"]},
        "reports": {
            "queues": ["reports", "mail"],
            "concurrency": 4,
            "podLabels": {"pool": "slow"},
            "resources": {"limits": {"memory": "2Gi"}},
        },
        "fixed": {
            "autoscaling": {"enabled": False},
            "replicas": 1,
            "extraEnv": [{"name": "TZ", "value": "UTC"}],
        },
    },
    "ingress": {"enabled": False},
    "httpRoute": {"enabled": True, "parentRefs": [{"name": "gateway"}], "hostnames": ["tasks.example.com"]},
    "flower": {"route": True},
    "mysql": {"replicas": 5, "options": {"long_query_time": "1"}},
    "networkPolicy": {"clients": [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]},
    "tracing": {"enabled": True, "endpoint": "http://collector.monitoring:4318", "samplerRatio": 0.05},
    "monitoring": {"enabled": True, "dashboards": True, "labels": {"release": "prometheus"}},
    "backup": {
        "enabled": True,
        "pointInTime": {"enabled": True},
        "s3": {"enabled": True, "path": "backups/demo", "existingSecret": "bucket", "port": 9000},
    },
    "extraObjects": [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine-{{ .Release.Name }}"}}
    ],
}
AS_LITTLE_AS_CAN_BE = {
    "api": {"autoscaling": {"enabled": False}, "replicas": 1},
    "workerDefaults": {"autoscaling": {"enabled": False}, "replicas": 1},
    "relay": {"replicas": 1},
    "flower": {"enabled": False},
    "ingress": {"enabled": False},
    "mysql": {"replicas": 1},
    "networkPolicy": {"enabled": False},
    "podDisruptionBudget": {"enabled": False},
}
PRESETS = {
    "default": Preset(),
    "dev": Preset(("values-dev.yaml",)),
    "production": Preset(("values-production.yaml",)),
    "1k": Preset(("values-production.yaml", "values-1k.yaml")),
    "10k": Preset(("values-production.yaml", "values-10k.yaml")),
    "everything": Preset(values=EVERYTHING),
    "as-little-as-can-be": Preset(values=AS_LITTLE_AS_CAN_BE),
    "own-servers": Preset(values=OWN_SERVERS),
    "restore": Preset(values={**EVERYTHING, "restore": {"from": "conveyor-20260101T030000Z.sql.gz"}}),
    "point-in-time": Preset(values={**EVERYTHING, "restore": {"until": "2026-01-01T03:00:00Z"}}),
    "existing-secret": Preset(
        values={
            "credentials": {"existingSecret": "my-passwords"},
            "mysql": {"tls": {"existingSecret": "my-certificates"}},
        }
    ),
}
