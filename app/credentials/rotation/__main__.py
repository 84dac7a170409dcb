"""`python -m app.credentials.rotation`: rotate the passwords of a release, and exit."""

import secrets
import signal
import sys
from collections.abc import Mapping
from datetime import UTC, datetime

import pymysql
import structlog
from redis import RedisError

from app.credentials.passwords import ALPHABET, LENGTH
from app.credentials.rotation.rotate import Rotation
from app.credentials.rotation.servers import MysqlAccount, Primary, RedisUser, TwoPasswords
from app.credentials.rotation.settings import RotationSettings
from app.credentials.rotation.steps import NEXT, marked
from app.credentials.rotation.workloads import RestartError, Workload, Workloads
from app.credentials.secret import find, replace, values_of
from app.credentials.settings import CredentialsSettings, load
from app.database.engines import parse_host
from kubernetes_api.client import Api, ApiError, Document, PodApi
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)

ROTATION = "conveyor/rotation"


class PasswordSecret:
    """The Secret of the release."""

    def __init__(self, api: Api, settings: CredentialsSettings) -> None:
        self._api = api
        self._settings = settings
        self._name = str(settings.secret)
        self._seen: Document = {}

    def values(self) -> dict[str, bytes]:
        found = find(self._api, self._settings, self._name)
        if found is None:
            raise SystemExit(
                f"there is no Secret {self._name}: the credentials Job makes it at the installation"
            )
        self._seen = found
        return values_of(found)

    def write(self, values: Mapping[str, bytes]) -> None:
        if marked(values, NEXT):
            annotations = self._seen["metadata"].get("annotations") or {}
            now = datetime.now(UTC).isoformat(timespec="seconds")
            self._seen["metadata"]["annotations"] = {**annotations, ROTATION: now}
        replace(self._api, self._settings, self._seen, values)

    def rotation(self) -> str:
        return str(self._seen["metadata"]["annotations"][ROTATION])


def servers(settings: RotationSettings) -> list[TwoPasswords]:
    """Return everything that asks for a password which the release has drawn for itself."""
    host, port = parse_host(settings.primary)
    primary = Primary(host, port, settings.tls_ca)
    admin = MysqlAccount(primary, settings.admin_user, "db-admin-password")
    return [
        MysqlAccount(primary, settings.user, "db-password", by=admin),
        admin,
        MysqlAccount(primary, settings.agent_user, "mysql-agent-password"),
        MysqlAccount(primary, settings.recovery_user, "mysql-recovery-password"),
        RedisUser(settings.redis_host, settings.redis_port, "redis-password"),
    ]


def new_password() -> str:
    return "".join(secrets.choice(ALPHABET) for _ in range(LENGTH))


def main() -> None:
    """Run the command."""
    settings = begin("rotation", lambda: load(RotationSettings))
    # As the first process of a container it would ignore the signal otherwise.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    credentials = settings.credentials
    api = PodApi.in_cluster(credentials.request_timeout_seconds)
    workloads = [Workload("deployments", name) for name in settings.deployments]
    workloads += [Workload("statefulsets", name) for name in settings.statefulsets]
    restarts = Workloads(api, settings.namespace, settings.restart_seconds)
    secret = PasswordSecret(api, credentials)
    try:
        Rotation(secret, servers(settings), workloads, restarts, new_password).run()
    except (ApiError, RestartError, pymysql.MySQLError, RedisError) as error:
        raise SystemExit(f"not done: {error}; the same command goes on from here") from None
    log.info("the passwords are new, and the old ones are forgotten", secret=settings.secret)


if __name__ == "__main__":
    main()
