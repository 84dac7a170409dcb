"""JSON over HTTPS to the API server, as the pod's service account."""

import json
import os
from collections.abc import Mapping
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, Self

import urllib3

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")

Document = dict[str, Any]
_PASSING = {None, HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN, HTTPStatus.TOO_MANY_REQUESTS}


class ApiError(Exception):
    """The API server refused, or did not answer: then there is no status."""

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status

    @property
    def may_pass(self) -> bool:
        """Tell whether the same request may succeed later; a role may be bound after its pod started."""
        return self.status in _PASSING or (self.status or 0) >= HTTPStatus.INTERNAL_SERVER_ERROR


class Api(Protocol):
    def request(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Document:
        """Return the answer's document.

        Raises:
            ApiError: the request was refused or not answered in time.
        """


class PodApi:
    """The API server as every pod finds it; a request is sent once and never blocks beyond the time-out."""

    def __init__(self, host: str, port: str, account: Path, timeout_seconds: float) -> None:
        self._url = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
        self._token = account / "token"
        self._timeout = urllib3.Timeout(total=timeout_seconds)
        self._pool = urllib3.PoolManager(ca_certs=str(account / "ca.crt"), retries=False)

    @classmethod
    def in_cluster(
        cls, timeout_seconds: float, account: Path = ACCOUNT, environment: Mapping[str, str] = os.environ
    ) -> Self:
        try:
            host, port = environment["KUBERNETES_SERVICE_HOST"], environment["KUBERNETES_SERVICE_PORT_HTTPS"]
        except KeyError as missing:
            raise SystemExit(f"{missing} is not set: this command runs in a pod of Kubernetes") from None
        if not (account / "token").exists():
            raise SystemExit(
                f"there is no token in {account}: give the pod a service account and mount its token "
                "(automountServiceAccountToken: true)"
            )
        return cls(host, port, account, timeout_seconds)

    def request(
        self, method: str, path: str, body: object = None, content_type: str = "application/json"
    ) -> Document:
        try:
            headers = {
                "Accept": "application/json",
                "Content-Type": content_type,
                # read each time: the kubelet renews it every hour
                "Authorization": f"Bearer {self._token.read_text(encoding='utf-8').strip()}",
            }
            payload = None if body is None else json.dumps(body)
            answer = self._pool.request(
                method, self._url + path, body=payload, headers=headers, timeout=self._timeout
            )
        except (urllib3.exceptions.HTTPError, OSError) as error:
            raise ApiError(f"no answer to {method} {path}: {error}") from error
        document = _document(answer.data)
        if answer.status >= HTTPStatus.BAD_REQUEST:
            said = document.get("message", "refused without a word")
            raise ApiError(f"{method} {path}: {said} [{answer.status}]", answer.status)
        return document


def _document(body: bytes) -> Document:
    """Read the answer; a proxy in between, or a server that is starting, may say something else than JSON."""
    try:
        document = json.loads(body)
    except ValueError:
        document = None
    return document if isinstance(document, dict) else {"message": body[:200].decode(errors="replace")}
