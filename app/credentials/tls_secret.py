"""The Secret with the MySQL servers' certificates, made once and renewed in time."""

from datetime import datetime

import structlog

from app.credentials.secret import CredentialsError, create, find, replace, values_of
from app.credentials.settings import CredentialsSettings
from certificates.bundle import Bundle, BundleError, renewed
from kubernetes_api.client import Api

log = structlog.get_logger(__name__)


def ensure_certificates(api: Api, settings: CredentialsSettings, secret: str, now: datetime) -> bool:
    """Make or renew what is due; tells whether anything was.

    Raises:
        CredentialsError: an existing Secret holds something else.
    """
    existing = find(api, settings, secret)
    try:
        held = Bundle.parse(values_of(existing)) if existing else None
    except BundleError as error:
        raise CredentialsError(
            f"the Secret {secret} in namespace {settings.namespace} was not made here ({error}): name it as "
            "mysql.tls.existingSecret and renew it yourself, or delete it, and all of it is made anew"
        ) from None
    bundle, plan = renewed(held, settings.tls_names, now, settings.tls_days)
    if bundle is None:
        return False
    if existing is None:
        create(api, settings, secret, "kubernetes.io/tls", bundle.values())
    else:
        replace(api, settings, existing, bundle.values())
    log.info(
        "certificates made",
        secret=secret,
        because=plan.because,
        holds_until=bundle.server.certificate.not_valid_after_utc.isoformat(),
    )
    return True
