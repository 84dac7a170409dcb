"""Every object is one that Kubernetes would take, whatever values, Helm and Kubernetes."""

import json
from functools import cache

import kubernetes_validate  # type: ignore[import-untyped] # it has no types
import pytest
from pydantic import ValidationError

from chart.manifests import Manifests, native, typed
from chart.presets import PRESETS, Preset
from chart.rendering import CHART, HELM_VERSIONS, KUBERNETES_VERSIONS

CUSTOM_KINDS = {
    "HTTPRoute",
    "PodMonitor",
    "PrometheusRule",
    "ScaledObject",
    "ServiceMonitor",
    "TriggerAuthentication",
}


read_once = cache(kubernetes_validate.utils.schema_contents)


@pytest.fixture(autouse=True)
def _schemas_are_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kubernetes_validate.utils, "schema_contents", read_once)


@cache
def validate(document: str, kubernetes: str) -> None:
    """Compare an object with the schema of a Kubernetes version; many are the same in many renderings."""
    kubernetes_validate.validate(json.loads(document), kubernetes, strict=True)


@pytest.mark.parametrize("helm", HELM_VERSIONS)
@pytest.mark.parametrize("kubernetes", KUBERNETES_VERSIONS)
def test_every_object_fits_the_schema_of_its_kubernetes(preset: Preset, helm: str, kubernetes: str) -> None:
    for document in native(preset.rendered(helm).documents):
        validate(json.dumps(document, sort_keys=True), kubernetes)


def test_what_is_rendered_does_not_depend_on_the_version_of_kubernetes() -> None:
    default = PRESETS["default"]
    rendered = {default.rendered(kubernetes=version).text for version in KUBERNETES_VERSIONS}
    assert len(rendered) == 1
    assert [path for path in (CHART / "templates").rglob("*.*") if "KubeVersion" in path.read_text()] == []


def test_every_object_fits_its_model(manifests: Manifests) -> None:
    for document in native(manifests.documents):
        typed(document)


def test_what_is_no_part_of_kubernetes_is_known() -> None:
    documents = PRESETS["everything"].rendered().documents
    custom = {document["kind"] for document in documents} - {
        document["kind"] for document in native(documents)
    }
    assert custom == CUSTOM_KINDS


def test_schema_and_model_notice_a_misspelt_field() -> None:
    deployment = json.loads(json.dumps(PRESETS["default"].rendered().of("Deployment")[0]))
    deployment["spec"]["replica"] = 3
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(deployment, "1.34", strict=True)
    with pytest.raises(ValidationError, match=r"spec\.replica"):
        typed(deployment)


def test_both_helms_render_the_same(preset: Preset) -> None:
    older, newer = (preset.rendered(helm).named() for helm in HELM_VERSIONS)
    assert older == newer


def test_no_name_is_used_twice(manifests: Manifests) -> None:
    assert len(manifests.named()) == len(manifests.documents)
