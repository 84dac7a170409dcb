"""The part of skaffold/v4beta14 that skaffold.yaml uses, with no other key allowed."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Scalar = str | int | bool


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Metadata(Strict):
    name: str


class TagPolicy(Strict):
    input_digest: dict[str, str] = Field(alias="inputDigest")


class LocalBuild(Strict):
    push: bool
    use_buildkit: bool = Field(alias="useBuildkit")


class SyncRule(Strict):
    src: str
    dest: str


class Sync(Strict):
    manual: list[SyncRule]


class Docker(Strict):
    dockerfile: str
    build_args: dict[str, str] = Field(default={}, alias="buildArgs")


class Artifact(Strict):
    image: str
    context: str
    docker: Docker
    sync: Sync | None = None


class Build(Strict):
    tag_policy: TagPolicy = Field(alias="tagPolicy")
    local: LocalBuild
    artifacts: list[Artifact]


class Dependencies(Strict):
    paths: list[str]


class CustomTest(Strict):
    command: str
    timeout_seconds: int = Field(alias="timeoutSeconds")
    dependencies: Dependencies


class ImageTest(Strict):
    image: str
    custom: list[CustomTest]


class HelmRelease(Strict):
    name: str
    chart_path: str = Field(alias="chartPath")
    namespace: str
    create_namespace: bool = Field(alias="createNamespace")
    wait: bool
    values_files: list[str] = Field(alias="valuesFiles")
    set_values: dict[str, Scalar] = Field(alias="setValues")
    set_value_templates: dict[str, str] = Field(alias="setValueTemplates")


class Helm(Strict):
    releases: list[HelmRelease]


class Deploy(Strict):
    status_check_deadline_seconds: int = Field(alias="statusCheckDeadlineSeconds")
    helm: Helm


class PortForward(Strict):
    resource_type: Literal["service"] = Field(alias="resourceType")
    resource_name: str = Field(alias="resourceName")
    namespace: str
    port: int
    address: str
    local_port: int = Field(alias="localPort")


class Patch(Strict):
    op: Literal["add", "replace", "remove"]
    path: Annotated[str, Field(pattern=r"^(/[\w.-]+)+$")]
    value: Any = None


class Activation(Strict):
    command: Literal["dev", "run", "build", "deploy", "debug"]


class Profile(Strict):
    name: str
    activation: list[Activation] = []
    patches: list[Patch]


class Configuration(Strict):
    api_version: Literal["skaffold/v4beta14"] = Field(alias="apiVersion")
    kind: Literal["Config"]
    metadata: Metadata
    build: Build
    test: list[ImageTest]
    deploy: Deploy
    port_forward: list[PortForward] = Field(alias="portForward")
    profiles: list[Profile] = []
