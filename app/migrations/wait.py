"""`python -m app.migrations.wait`: wait until the schema is that of this release, and exit."""

import logging
import signal
import sys
import time
from collections.abc import Callable

import structlog
from prometheus_client import CollectorRegistry
from sqlalchemy.exc import SQLAlchemyError

from app.database.errors import is_strange
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.migrations.schema import SchemaState, schema_state
from app.settings import load_settings
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)

POLL_SECONDS = 1


def wait_for_schema(look: Callable[[], SchemaState], timeout_seconds: float) -> None:
    """Return once `look` finds a schema to work with; each reason to wait is logged once.

    Raises:
        TimeoutError: with the last reason.
    """
    deadline = time.monotonic() + timeout_seconds
    said = ""
    while True:
        state, reason = _look(look)
        if state in {SchemaState.CURRENT, SchemaState.NEWER}:
            log.info("the schema will do", schema=state.value)
            return
        if time.monotonic() > deadline:
            raise TimeoutError(f"no schema of this release after {timeout_seconds:g} s: {reason}")
        if reason != said:
            log.info("waiting", reason=reason)
            said = reason
        time.sleep(POLL_SECONDS)


def _look(look: Callable[[], SchemaState]) -> tuple[SchemaState | None, str]:
    try:
        state = look()
    except SQLAlchemyError as error:
        cause = str(getattr(error, "orig", None) or error)
        if is_strange(error):
            return None, f"{cause}: the migrations have not created the account yet, or DB_PASSWORD is wrong"
        return None, f"the database cannot be read: {cause}"
    return state, "the migrations of this release have not run yet: see the log of `python -m app.migrations`"


def main() -> None:
    """Run the command."""
    settings = begin("wait-for-migrations", load_settings)
    logging.getLogger("alembic").setLevel(logging.WARNING)  # it says the same at every look
    # As the first process of a container it would ignore the signal otherwise.
    signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    database = Database(settings, DatabaseMetrics(CollectorRegistry()))

    def look() -> SchemaState:
        with database.read() as session:
            return schema_state(session.connection())

    try:
        wait_for_schema(look, settings.migrate_wait_timeout_seconds)
    except TimeoutError as error:
        raise SystemExit(str(error)) from None
    finally:
        database.dispose()


if __name__ == "__main__":
    main()
