"""A stand-in for the API server, to fail in ways that a real one rarely does."""

import base64
from copy import deepcopy
from http import HTTPStatus

from kubernetes_api.client import ApiError, Document


class FakeApi:
    """Keeps documents by path, counts their versions, refuses stale ones, and fails when told to."""

    def __init__(self) -> None:
        self.documents: dict[str, Document] = {}
        self.requests: list[tuple[str, str]] = []
        self.failures: dict[tuple[str, str], list[ApiError]] = {}
        self.down = False
        self._version = 0

    def fail(self, method: str, path_part: str, *errors: ApiError) -> None:
        """Answer the next such requests with these errors, one each."""
        self.failures.setdefault((method, path_part), []).extend(errors)

    def put(self, path: str, document: Document) -> None:
        """Place a document as if somebody else had."""
        self._store(path, document)

    def request(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Document:
        self.requests.append((method, path))
        self._raise_if_told(method, path)
        if method == "GET":
            return deepcopy(self._existing(path))
        assert isinstance(body, dict)
        if method == "POST":
            return self._create(path, body)
        if method == "PATCH":
            assert content_type == "application/merge-patch+json"
            self._refuse_stale(path, body)
            return self._store(path, merged(self._existing(path), body))
        assert method == "PUT"
        self._existing(path)
        self._refuse_stale(path, body)
        return self._store(path, body)

    def _raise_if_told(self, method: str, path: str) -> None:
        if self.down:
            raise ApiError(f"no answer to {method} {path}: timed out")
        for (failing_method, part), errors in self.failures.items():
            if failing_method == method and part in path and errors:
                raise errors.pop(0)

    def _create(self, path: str, body: Document) -> Document:
        path = f"{path}/{body['metadata']['name']}"
        if path in self.documents:
            raise ApiError(f"{path} already exists", HTTPStatus.CONFLICT)
        return self._store(path, body)

    def _existing(self, path: str) -> Document:
        if path not in self.documents:
            raise ApiError(f"{path} not found", HTTPStatus.NOT_FOUND)
        return self.documents[path]

    def _refuse_stale(self, path: str, body: Document) -> None:
        expected = body["metadata"].get("resourceVersion")
        if expected not in {None, self._existing(path)["metadata"]["resourceVersion"]}:
            raise ApiError(f"{path} has been modified", HTTPStatus.CONFLICT)

    def _store(self, path: str, body: Document) -> Document:
        self._version += 1
        document = deepcopy(body)
        document["metadata"]["resourceVersion"] = str(self._version)
        for key, text in document.pop("stringData", {}).items():
            document.setdefault("data", {})[key] = base64.b64encode(text.encode()).decode()
        self.documents[path] = document
        return deepcopy(document)


def merged(document: Document, patch: Document) -> Document:
    """Apply a merge patch (RFC 7386)."""
    result = dict(document)
    for key, value in patch.items():
        if value is None:
            result.pop(key, None)
        elif isinstance(value, dict):
            result[key] = merged(result.get(key) or {}, value)
        else:
            result[key] = value
    return result
