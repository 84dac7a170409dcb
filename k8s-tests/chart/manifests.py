"""Rendered objects, typed by the models of the Kubernetes client, which refuse what they do not know."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar

import yaml
from kubernetes import client
from kubernetes.client import V1Container, V1PodSpec, V1PodTemplateSpec
from pydantic import BaseModel

Document = dict[str, Any]
Model = TypeVar("Model", bound=BaseModel)
NATIVE_GROUPS = {
    "",
    "apps",
    "autoscaling",
    "batch",
    "networking.k8s.io",
    "policy",
    "rbac.authorization.k8s.io",
}
WORKLOADS = ("Deployment", "StatefulSet", "Job", "CronJob", "Pod")


@dataclass(frozen=True)
class Pod:
    """What a workload starts, and the object that starts it."""

    owner: str
    component: str
    labels: dict[str, str]
    annotations: dict[str, str]
    spec: V1PodSpec

    @property
    def containers(self) -> list[V1Container]:
        return [*(self.spec.init_containers or []), *self.spec.containers]

    def container(self, name: str) -> V1Container:
        return next(container for container in self.containers if container.name == name)


class Manifests:
    """Everything that one rendering brings."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def documents(self) -> list[Document]:
        return [document for document in yaml.load_all(self.text, yaml.CSafeLoader) if document]

    def named(self) -> dict[str, Document]:
        """Every object by kind and name."""
        return {f"{document['kind']}/{document['metadata']['name']}": document for document in self.documents}

    def of(self, kind: str) -> list[Document]:
        return [document for document in self.documents if document["kind"] == kind]

    def one(self, model: type[Model], name: str) -> Model:
        """Return the object of that name, by its model."""
        kind = model.__name__.removeprefix("V1").removeprefix("V2")
        return model.model_validate(self.named()[f"{kind}/{name}"])

    @cached_property
    def pods(self) -> list[Pod]:
        return [_pod(document) for kind in WORKLOADS for document in self.of(kind)]

    def pods_of(self, component: str) -> list[Pod]:
        return [pod for pod in self.pods if pod.component == component]


def native(documents: list[Document]) -> Iterator[Document]:
    """Leave out what a plain Kubernetes does not have."""
    for document in documents:
        group, _, _ = document["apiVersion"].rpartition("/")
        if group in NATIVE_GROUPS:
            yield document


def typed(document: Document) -> BaseModel:
    version = document["apiVersion"].rpartition("/")[2]
    model: type[BaseModel] = getattr(client, f"{version.capitalize()}{document['kind']}")
    return model.model_validate(document)


def _pod(document: Document) -> Pod:
    template = document
    if document["kind"] == "CronJob":
        template = document["spec"]["jobTemplate"]["spec"]["template"]
    elif document["kind"] != "Pod":
        template = document["spec"]["template"]
    typed_template = V1PodTemplateSpec.model_validate(
        {"metadata": template["metadata"], "spec": template["spec"]}
    )
    labels = template["metadata"]["labels"]
    if typed_template.spec is None:
        raise AssertionError(f"{document['kind']} without a pod")
    return Pod(
        owner=f"{document['kind']}/{document['metadata']['name']}",
        component=labels["app.kubernetes.io/component"],
        labels=labels,
        annotations=template["metadata"].get("annotations") or {},
        spec=typed_template.spec,
    )
