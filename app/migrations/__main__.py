"""`python -m app.migrations`: bring database, account and schema to this release, and exit."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from alembic import command
from sqlalchemy import Connection, create_engine
from sqlalchemy.exc import SQLAlchemyError

from app.database.engines import database_url
from app.database.errors import is_strange, is_unavailable
from app.database.tls import explain_refused_certificates, tls_arguments
from app.migrations.account import LOCK_NAME as ACCOUNTS_LOCK
from app.migrations.account import ensure_account, has_all_rights
from app.migrations.alone import alone
from app.migrations.demo import add_demo_users
from app.migrations.schema import SchemaState, alembic_config, schema_state
from app.settings import Settings, load_settings
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)

LOCK_NAME = "conveyor_migrations"


def migrate(settings: Settings) -> None:
    """Run every step, again from the first one when the primary is not there or lost on the way.

    Each step is safe to repeat and waits for others that run it.
    """
    timeout_seconds = settings.migrate_primary_timeout_seconds
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            return _run_steps(settings)
        except SQLAlchemyError as error:
            if is_strange(error) or not is_unavailable(error):
                raise  # a wrong password does not become right
            if time.monotonic() > deadline:
                raise TimeoutError(
                    f"no primary at DB_MASTER_HOST after {timeout_seconds:g} s: {error.__cause__}; "
                    "the agents say what the members wait for"
                ) from error
            log.info("waiting for the primary", error=str(error.__cause__))
            time.sleep(1)


def _run_steps(settings: Settings) -> None:
    if settings.db_admin_user and not _account_is_there(settings):
        with (
            _connected(settings, database=None) as connection,
            alone(connection, LOCK_NAME),
            alone(connection, ACCOUNTS_LOCK),
        ):
            ensure_account(connection, settings)
            log.info("database and account are there", database=settings.db_name, user=settings.db_user)
    with _connected(settings, database=settings.db_name) as connection, alone(connection, LOCK_NAME):
        _upgrade(connection)
        if settings.seed_demo_users and add_demo_users(connection):
            log.info("demo users added")
        connection.commit()


def _account_is_there(settings: Settings) -> bool:
    """Tell whether there is nothing to change; who changes accounts waits for every member that joins."""
    try:
        with _connected(settings.model_copy(update={"db_admin_user": None}), settings.db_name) as connection:
            return has_all_rights(connection, settings)
    except SQLAlchemyError:  # whatever it is, the administrator will see it as well
        return False


def _upgrade(connection: Connection) -> None:
    if schema_state(connection) is SchemaState.NEWER:
        log.warning("the schema is newer than this release and stays as it is")
        return
    config = alembic_config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
    log.info("schema is current")


@contextmanager
def _connected(settings: Settings, database: str | None) -> Iterator[Connection]:
    engine = create_engine(
        database_url(settings, database, as_admin=settings.db_admin_user is not None),
        hide_parameters=True,  # they hold payloads and passwords
        connect_args={
            "connect_timeout": 3,
            "read_timeout": 300,
            "write_timeout": 300,
            **tls_arguments(settings),
        },
    )
    explain_refused_certificates(engine)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


def main() -> None:
    """Run the command."""
    settings = begin("migrate", load_settings)
    try:
        migrate(settings)
    except TimeoutError as error:
        raise SystemExit(str(error)) from None


if __name__ == "__main__":
    main()
