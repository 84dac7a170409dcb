"""`python -m app.credentials`: create the Secret of a release once, and exit."""

import signal
import sys

import structlog

from app.credentials.secret import CredentialsError, ensure_secret
from app.credentials.settings import load_settings
from app.logging import configure_logging
from kubernetes_api.client import PodApi

log = structlog.get_logger(__name__)


def main() -> None:
    """Run the command."""
    settings = load_settings()
    configure_logging(settings.log_level, "auto", process="credentials")
    # As the first process of a container it would ignore the signal otherwise.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    api = PodApi.in_cluster(settings.request_timeout_seconds)
    try:
        created = ensure_secret(api, settings)
    except CredentialsError as error:
        raise SystemExit(str(error)) from None
    log.info("Secret created" if created else "the Secret exists", secret=settings.secret)


if __name__ == "__main__":
    main()
