"""Pods, the Lease and Events as the agent needs them; the only module that knows how the API names them."""

from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime
from http import HTTPStatus
from typing import Any
from uuid import uuid4

from kubernetes_api.client import Api, ApiError, Document
from mysql_agent.events import Announcement
from mysql_agent.lease import TERM_SECONDS, Lease

ROLE_LABEL = "conveyor/mysql-role"
OVERRIDE = "conveyor/force-bootstrap"
KNOWN_MEMBERS = "conveyor/known-members"
MERGE_PATCH = "application/merge-patch+json"


@dataclass(frozen=True)
class Pod:
    name: str
    uid: str
    version: str
    role: str | None
    is_terminating: bool = False
    is_forced: bool = False
    owners: list[dict[str, Any]] = field(default_factory=list, compare=False)


class Kubernetes:
    def __init__(self, api: Api, namespace: str, lease: str, pod: str) -> None:
        self._api = api
        self._namespace = namespace
        self._core = f"/api/v1/namespaces/{namespace}"
        self._leases = f"/apis/coordination.k8s.io/v1/namespaces/{namespace}/leases"
        self._lease = lease
        self._own_pod = pod

    def pod(self, name: str) -> Pod | None:
        try:
            metadata = self._api.request("GET", f"{self._core}/pods/{name}")["metadata"]
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return None
            raise
        annotations = metadata.get("annotations") or {}
        return Pod(
            name=name,
            uid=metadata.get("uid", ""),
            version=metadata["resourceVersion"],
            role=(metadata.get("labels") or {}).get(ROLE_LABEL),
            is_terminating="deletionTimestamp" in metadata,
            is_forced=annotations.get(OVERRIDE) == "true",
            owners=metadata.get("ownerReferences") or [],
        )

    def set_role(self, pod: Pod, role: str | None) -> None:
        """Write the role that Services select, unless somebody changed the pod since it was read."""
        self._patch(pod, {"labels": {ROLE_LABEL: role}})

    def remove_override(self, pod: Pod) -> None:
        self._patch(pod, {"annotations": {OVERRIDE: None}})

    def read(self) -> Lease:
        try:
            document = self._api.request("GET", f"{self._leases}/{self._lease}")
        except ApiError as error:
            if error.status == HTTPStatus.NOT_FOUND:
                return Lease()
            raise
        spec = document.get("spec") or {}
        known = (document["metadata"].get("annotations") or {}).get(KNOWN_MEMBERS, "")
        return Lease(
            holder=spec.get("holderIdentity") or "",
            renewed=spec.get("renewTime") or "",
            term_seconds=spec.get("leaseDurationSeconds") or TERM_SECONDS,
            known_uuids=frozenset(filter(None, known.split(","))),
            document=document,
        )

    def write(self, lease: Lease) -> Lease:
        document = deepcopy(lease.document) or self._new_lease()
        spec = document.setdefault("spec", {})
        now = _now()
        if lease.holder and lease.holder != spec.get("holderIdentity"):
            spec["acquireTime"] = now
            spec["leaseTransitions"] = spec.get("leaseTransitions", 0) + 1
        spec |= {"holderIdentity": lease.holder, "renewTime": now, "leaseDurationSeconds": TERM_SECONDS}
        annotations = document["metadata"].setdefault("annotations", {})
        annotations[KNOWN_MEMBERS] = ",".join(sorted(lease.known_uuids))
        if "resourceVersion" in document["metadata"]:
            self._api.request("PUT", f"{self._leases}/{self._lease}", document)
        else:
            self._api.request("POST", self._leases, document)
        return lease

    def announce(self, announcement: Announcement, pod: Pod) -> None:
        """Create an Event, which `kubectl describe pod` shows."""
        now = _now()
        self._api.request(
            "POST",
            f"{self._core}/events",
            {
                "metadata": {"name": f"{pod.name}.{uuid4().hex[:16]}", "namespace": self._namespace},
                "involvedObject": {
                    "apiVersion": "v1",
                    "kind": "Pod",
                    "name": pod.name,
                    "namespace": self._namespace,
                    "uid": pod.uid,
                },
                "type": announcement.kind,
                "reason": announcement.reason,
                "message": announcement.message[:1024],
                "source": {"component": "mysql-agent"},
                "reportingComponent": "conveyor/mysql-agent",
                "reportingInstance": pod.name,
                "action": announcement.reason,
                "eventTime": now,
            },
        )

    def _patch(self, pod: Pod, metadata: Document) -> None:
        body = {"metadata": {"resourceVersion": pod.version, **metadata}}
        self._api.request("PATCH", f"{self._core}/pods/{pod.name}", body, MERGE_PATCH)

    def _new_lease(self) -> Document:
        # It goes with the StatefulSet: a new installation knows nothing of the disks of an old one.
        pod = self.pod(self._own_pod)
        owners = [{**owner, "blockOwnerDeletion": False} for owner in (pod.owners if pod else [])]
        return {
            "apiVersion": "coordination.k8s.io/v1",
            "kind": "Lease",
            "metadata": {"name": self._lease, "ownerReferences": owners},
        }


def _now() -> str:
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
