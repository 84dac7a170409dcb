"""Creating the Secret if there is none, and looking at it if there is one."""

import base64
import binascii
import time
from collections.abc import Callable
from http import HTTPStatus

import structlog

from app.credentials.passwords import complaints, new_passwords
from app.credentials.settings import CredentialsSettings
from kubernetes_api.client import Api, ApiError, Document

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2


class CredentialsError(Exception):
    """No usable Secret exists, and this command may not or cannot make one."""


def ensure_secret(
    api: Api, settings: CredentialsSettings, sleep: Callable[[float], None] = time.sleep
) -> bool:
    """Create the Secret unless it exists; tells whether it did.

    Raises:
        CredentialsError: an existing one lacks a key, or the API kept refusing until the deadline.
    """
    deadline = time.monotonic() + settings.deadline_seconds
    while True:
        try:
            return _create_or_check(api, settings)
        except ApiError as error:
            lost_a_race = error.status == HTTPStatus.CONFLICT
            if not (error.may_pass or lost_a_race) or time.monotonic() > deadline:
                raise CredentialsError(_cure(settings, error)) from error
            log.warning("trying again", error=str(error))
        sleep(RETRY_SECONDS)


def _create_or_check(api: Api, settings: CredentialsSettings) -> bool:
    existing = _find(api, settings)
    if existing is None:
        api.request("POST", _path(settings), _manifest(settings))
        return True
    if found := complaints(_values(existing)):
        raise CredentialsError(
            f"the Secret {settings.secret} in namespace {settings.namespace} exists and is never changed "
            f"here, but {', '.join(found)}: correct it with `kubectl edit secret`, or name another one"
        )
    return False


def _find(api: Api, settings: CredentialsSettings) -> Document | None:
    try:
        return api.request("GET", f"{_path(settings)}/{settings.secret}")
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def _values(secret: Document) -> dict[str, bytes]:
    try:
        return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
    except binascii.Error as error:
        raise ApiError(f"the Secret's data is not what an API server sends: {error}") from error


def _manifest(settings: CredentialsSettings) -> Document:
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": settings.secret, "labels": settings.labels},
        "type": "Opaque",
        "stringData": new_passwords(),
    }


def _path(settings: CredentialsSettings) -> str:
    return f"/api/v1/namespaces/{settings.namespace}/secrets"


def _cure(settings: CredentialsSettings, error: ApiError) -> str:
    if error.status == HTTPStatus.FORBIDDEN:
        return (
            f"{error}: the service account needs a Role that may get the Secret {settings.secret} and create "
            "secrets; or make the Secret yourself and name it as the existing one"
        )
    return f"no Secret after {settings.deadline_seconds:g} s: {error}"
