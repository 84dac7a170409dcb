"""`python -m app.credentials`: make the Secrets of a release, renew its certificates, and exit."""

import signal
import sys
from datetime import UTC, datetime

import structlog

from app.credentials.secret import CredentialsError, ensure_secret, patiently
from app.credentials.settings import CredentialsSettings, load
from app.credentials.tls_secret import ensure_certificates
from kubernetes_api.client import Api, PodApi
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)


def main() -> None:
    """Run the command."""
    settings = begin("credentials", lambda: load(CredentialsSettings))
    # As the first process of a container it would ignore the signal otherwise.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    api = PodApi.in_cluster(settings.request_timeout_seconds)
    try:
        _run(api, settings)
    except CredentialsError as error:
        raise SystemExit(str(error)) from None


def _run(api: Api, settings: CredentialsSettings) -> None:
    if tls := settings.tls_secret:
        made = patiently(lambda: ensure_certificates(api, settings, tls, datetime.now(UTC)), settings, tls)
        if not made:
            log.info("the certificates hold for long enough", secret=tls)
    if secret := settings.secret:
        created = patiently(lambda: ensure_secret(api, settings, secret), settings, secret)
        log.info("Secret created" if created else "the Secret exists", secret=secret)


if __name__ == "__main__":
    main()
