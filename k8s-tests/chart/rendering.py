"""The chart as Helm renders it: each combination of values, Helm and Kubernetes once per run of the tests."""

import json
import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chart.manifests import Manifests
from helm import helm_binary

ROOT = Path(__file__).resolve().parents[2]
CHART = ROOT / "charts" / "conveyor"
NAMESPACE = "platform"
RELEASE = "demo"
HELM_VERSIONS = ("3.18", "4.1")
KUBERNETES_VERSIONS = ("1.32", "1.33", "1.34", "1.35", "1.36")
# what a cluster with the Gateway API, KEDA and the Prometheus operator says of itself
CUSTOM_APIS = (
    "gateway.networking.k8s.io/v1/HTTPRoute",
    "keda.sh/v1alpha1/ScaledObject",
    "monitoring.coreos.com/v1/PodMonitor",
    "monitoring.coreos.com/v1/PrometheusRule",
    "monitoring.coreos.com/v1/ServiceMonitor",
)
RENDER_SECONDS = 30
Values = Mapping[str, Any]


class RenderError(Exception):
    """Helm refused to render; the message is what the user would see."""


def render(
    values: Values | None = None,
    *,
    presets: tuple[str, ...] = (),
    apis: tuple[str, ...] = CUSTOM_APIS,
    helm: str = "4.1",
    kubernetes: str = "1.34",
    release: str = RELEASE,
) -> Manifests:
    """Render the chart with the values, laid over value files of the chart.

    Raises:
        RenderError: schema or templates refuse the values.
    """
    argv = ["template", release, str(CHART), "--namespace", NAMESPACE]
    for preset in presets:
        argv += ["--values", str(CHART / preset)]
    argv += ["--kube-version", kubernetes, "--api-versions", ",".join(apis), "--values", "-"]
    return _rendered(helm_binary(helm), tuple(argv), json.dumps(values or {}, sort_keys=True))


@cache
def _rendered(helm: Path, argv: tuple[str, ...], values: str) -> Manifests:
    result = subprocess.run(
        [str(helm), *argv], input=values, capture_output=True, text=True, timeout=RENDER_SECONDS, check=False
    )
    if result.returncode:
        raise RenderError(result.stderr)
    return Manifests(result.stdout)


def default_values() -> dict[str, Any]:
    values: dict[str, Any] = yaml.safe_load((CHART / "values.yaml").read_text(encoding="utf-8"))
    return values


def schema() -> dict[str, Any]:
    document: dict[str, Any] = json.loads((CHART / "values.schema.json").read_text(encoding="utf-8"))
    return document
