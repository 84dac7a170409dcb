"""The few requests to the API server that starting a cluster needs; tests have a full client."""

import http.client
import json
import ssl
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

TIMEOUT_SECONDS = 10.0
FIELD_MANAGER = "conveyor-test-cluster"
# Everything that is applied here; the plural forms are in no other place on this side of the API server.
PLURALS = {
    "APIService": "apiservices",
    "ClusterRole": "clusterroles",
    "ClusterRoleBinding": "clusterrolebindings",
    "ConfigMap": "configmaps",
    "EndpointSlice": "endpointslices",
    "IngressClass": "ingressclasses",
    "Namespace": "namespaces",
    "RoleBinding": "rolebindings",
    "Service": "services",
    "StorageClass": "storageclasses",
}

Resource = Mapping[str, object]


class ApiError(Exception):
    """The API server did not answer, or not well."""


class ApiClient:
    """Speaks to one API server as the owner of a client certificate."""

    def __init__(self, host: str, port: int, pki: Path, identity: str) -> None:
        self._host = host
        self._port = port
        self._context = ssl.create_default_context(cafile=str(pki / "ca.crt"))
        self._context.load_cert_chain(pki / f"{identity}.crt", pki / f"{identity}.key")

    def get(self, path: str) -> str:
        return self._request("GET", path)

    def read(self, path: str) -> dict[str, Any]:
        return dict(json.loads(self.get(path)))

    def patch(self, path: str, body: object) -> None:
        self._request("PATCH", path, body, "application/merge-patch+json")

    def apply(self, resource: Resource) -> None:
        """Make the object as given, or change it to be so."""
        path = f"{resource_path(resource)}?fieldManager={FIELD_MANAGER}&force=true"
        self._request("PATCH", path, resource, "application/apply-patch+yaml")

    def events(self, path: str, seconds: int) -> Iterator[bytes]:
        """Yield the changes of a collection as they come, for so many seconds."""
        connection = self._connection(seconds + TIMEOUT_SECONDS)
        try:
            connection.request("GET", f"{path}?watch=1&timeoutSeconds={seconds}")
            yield from connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"watching {path}: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()

    def _connection(self, timeout: float) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(self._host, self._port, timeout=timeout, context=self._context)

    def _request(self, method: str, path: str, body: object = None, kind: str = "application/json") -> str:
        connection = self._connection(TIMEOUT_SECONDS)
        try:
            encoded = None if body is None else json.dumps(body)
            connection.request(method, path, encoded, {"Content-Type": kind, "Accept": "application/json"})
            response = connection.getresponse()
            text = response.read().decode("utf-8", "replace")
        except (OSError, http.client.HTTPException) as error:
            raise ApiError(f"{method} {path}: {str(error) or type(error).__name__}") from error
        finally:
            connection.close()
        if response.status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(f"{method} {path}: HTTP {response.status} {text[:300]}")
        return text


def resource_path(resource: Resource) -> str:
    """Return where an object lives, from what it says about itself."""
    version, kind, metadata = str(resource["apiVersion"]), str(resource["kind"]), resource["metadata"]
    if not isinstance(metadata, Mapping):
        raise ApiError(f"a {kind} has no metadata")
    prefix = f"/apis/{version}" if "/" in version else f"/api/{version}"
    namespace = f"/namespaces/{metadata['namespace']}" if "namespace" in metadata else ""
    return f"{prefix}{namespace}/{PLURALS[kind]}/{metadata['name']}"
