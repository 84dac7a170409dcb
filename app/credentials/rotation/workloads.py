"""What has read passwords at its start is started anew, pod by pod, as after a change of its template."""

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from kubernetes_api.client import Api, ApiError, Document

log = structlog.get_logger(__name__)

MARK = "conveyor/passwords-of"
POLL_SECONDS = 3


class RestartError(Exception):
    """Something did not come up again in time."""


@dataclass(frozen=True)
class Workload:
    kind: str  # deployments or statefulsets
    name: str


class Workloads:
    """Deployments and StatefulSets of a namespace."""

    def __init__(
        self,
        api: Api,
        namespace: str,
        deadline_seconds: float,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._api = api
        self._path = f"/apis/apps/v1/namespaces/{namespace}"
        self._deadline_seconds = deadline_seconds
        self._sleep = sleep
        self._clock = clock

    def restart(self, workload: Workload, rotation: str) -> None:
        """Start its pods anew and wait for them; done before in this rotation, it only waits.

        Raises:
            RestartError: it is not complete when the time is over.
        """
        path = f"{self._path}/{workload.kind}/{workload.name}"
        annotations = {MARK: rotation}
        change = {"metadata": {}, "spec": {"template": {"metadata": {"annotations": annotations}}}}
        self._api.request("PATCH", path, change, "application/merge-patch+json")
        log.info("starting anew", workload=workload.name)
        deadline = self._clock() + self._deadline_seconds
        while not self._is_complete(path):
            if self._clock() > deadline:
                raise RestartError(
                    f"{workload.name} is not complete after {self._deadline_seconds:g} s: see its pods; old "
                    "passwords stay valid until the same command is run again"
                )
            self._sleep(POLL_SECONDS)

    def _is_complete(self, path: str) -> bool:
        try:
            return is_complete(self._api.request("GET", path))
        except ApiError as error:
            if not error.may_pass:
                raise
            log.warning("trying again", error=str(error))
            return False


def is_complete(workload: Document) -> bool:
    """Tell whether all pods are of the newest template, and ready."""
    status, wanted = workload.get("status", {}), workload["spec"].get("replicas", 1)
    seen = status.get("observedGeneration", 0) >= workload["metadata"]["generation"]
    counts = [status.get(name, 0) for name in ("replicas", "updatedReplicas", "readyReplicas")]
    return seen and counts == [wanted] * len(counts)
