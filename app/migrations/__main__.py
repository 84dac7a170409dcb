"""`python -m app.migrations`: bring database, account and schema to this release, and exit."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Engine, create_engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.database.engines import database_url
from app.database.errors import is_unavailable
from app.logging import configure_logging
from app.migrations.account import ensure_account
from app.migrations.demo import add_demo_users
from app.settings import Settings, load_settings

log = structlog.get_logger(__name__)

PRIMARY_DEADLINE_SECONDS = 120
LOCK_NAME = "conveyor_migrations"
LOCK_TIMEOUT_SECONDS = 60


def migrate(settings: Settings) -> None:
    """Run every step; each one is safe to repeat and waits for others that run it."""
    if settings.db_admin_user:
        with _connected(settings, database=None) as connection, _alone(connection):
            ensure_account(connection, settings)
            log.info("database and account are there", database=settings.db_name, user=settings.db_user)
    with _connected(settings, database=settings.db_name) as connection, _alone(connection):
        config = Config()
        config.set_main_option("script_location", "app:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        log.info("schema is current")
        if settings.seed_demo_users and add_demo_users(connection):
            log.info("demo users added")
        connection.commit()


@contextmanager
def _connected(settings: Settings, database: str | None) -> Iterator[Connection]:
    engine = create_engine(
        database_url(settings, database, as_admin=settings.db_admin_user is not None),
        hide_parameters=True,  # they hold payloads and passwords
        connect_args={"connect_timeout": 3, "read_timeout": 300, "write_timeout": 300},
    )
    try:
        with _connect(engine) as connection:
            yield connection
    finally:
        engine.dispose()


def _connect(engine: Engine) -> Connection:
    deadline = time.monotonic() + PRIMARY_DEADLINE_SECONDS
    while True:
        try:
            return engine.connect()
        except SQLAlchemyError as error:
            if not is_unavailable(error) or time.monotonic() > deadline:
                raise
            log.info("waiting for the primary", error=str(error))
            time.sleep(1)


@contextmanager
def _alone(connection: Connection) -> Iterator[None]:
    lock = {"name": LOCK_NAME, "timeout": LOCK_TIMEOUT_SECONDS}
    if connection.scalar(text("SELECT GET_LOCK(:name, :timeout)"), lock) != 1:
        raise TimeoutError(f"another migration has been running for {LOCK_TIMEOUT_SECONDS} s; see its log")
    try:
        yield
    finally:
        connection.execute(text("SELECT RELEASE_LOCK(:name)"), lock)


def main() -> None:
    """Run the command."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format, process="migrate")
    migrate(settings)


if __name__ == "__main__":
    main()
