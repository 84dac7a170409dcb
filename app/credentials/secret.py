"""Secrets as the API of Kubernetes keeps them, and the one with the passwords, made once."""

import base64
import binascii
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import structlog

from app.credentials.passwords import complaints, new_passwords
from app.credentials.settings import CredentialsSettings
from kubernetes_api.client import Api, ApiError, Document

log = structlog.get_logger(__name__)

RETRY_SECONDS = 2


class CredentialsError(Exception):
    """No usable Secret exists, and this command may not or cannot make one."""


def ensure_secret(api: Api, settings: CredentialsSettings, secret: str) -> bool:
    """Create the Secret of the passwords unless it exists; tells whether it did.

    Raises:
        CredentialsError: an existing one lacks a key.
    """
    existing = find(api, settings, secret)
    if existing is None:
        texts = new_passwords()
        create(api, settings, secret, "Opaque", {key: text.encode() for key, text in texts.items()})
        return True
    if found := complaints(values_of(existing)):
        raise CredentialsError(
            f"the Secret {secret} in namespace {settings.namespace} exists and is never changed here, but "
            f"{', '.join(found)}: correct it with `kubectl edit secret`, or name another one"
        )
    return False


def patiently(
    step: Callable[[], bool],
    settings: CredentialsSettings,
    secret: str,
    sleep: Callable[[float], None] = time.sleep,
) -> bool:
    """Do what concerns a Secret, again while the API refuses for a reason that may pass.

    Raises:
        CredentialsError: it kept refusing until the deadline, or will never do anything else.
    """
    deadline = time.monotonic() + settings.deadline_seconds
    while True:
        try:
            return step()
        except ApiError as error:
            lost_a_race = error.status == HTTPStatus.CONFLICT
            if not (error.may_pass or lost_a_race) or time.monotonic() > deadline:
                raise CredentialsError(_cure(settings, secret, error)) from error
            log.warning("trying again", error=str(error))
        sleep(RETRY_SECONDS)


def find(api: Api, settings: CredentialsSettings, secret: str) -> Document | None:
    """Return the Secret, if there is one."""
    try:
        return api.request("GET", f"{_path(settings)}/{secret}")
    except ApiError as error:
        if error.status == HTTPStatus.NOT_FOUND:
            return None
        raise


def create(
    api: Api, settings: CredentialsSettings, secret: str, kind: str, values: Mapping[str, bytes]
) -> None:
    """Make the Secret; it is a conflict if somebody else was quicker."""
    metadata = {"name": secret, "labels": settings.labels}
    body = {"apiVersion": "v1", "kind": "Secret", "metadata": metadata, "type": kind, "data": encoded(values)}
    api.request("POST", _path(settings), body)


def replace(api: Api, settings: CredentialsSettings, existing: Document, values: Mapping[str, bytes]) -> None:
    """Write other values; it is a conflict if somebody else changed the Secret since it was read."""
    path = f"{_path(settings)}/{existing['metadata']['name']}"
    api.request("PUT", path, {**existing, "data": encoded(values)})


def values_of(secret: Document) -> dict[str, bytes]:
    """Return the values of a Secret as they are."""
    try:
        return {key: base64.b64decode(value) for key, value in (secret.get("data") or {}).items()}
    except binascii.Error as error:
        raise ApiError(f"the Secret's data is not what an API server sends: {error}") from error


def encoded(values: Mapping[str, bytes]) -> dict[str, str]:
    """Return values as a Secret carries them."""
    return {key: base64.b64encode(value).decode() for key, value in values.items()}


def _path(settings: CredentialsSettings) -> str:
    return f"/api/v1/namespaces/{settings.namespace}/secrets"


def _cure(settings: CredentialsSettings, secret: str, error: ApiError) -> str:
    if error.status == HTTPStatus.FORBIDDEN:
        return (
            f"{error}: the service account needs a Role that may get and update the Secret {secret} and "
            "create secrets; or make the Secret yourself and name it as the existing one"
        )
    return f"no Secret after {settings.deadline_seconds:g} s: {error}"
