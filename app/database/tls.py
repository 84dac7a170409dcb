"""Whether a MySQL server is the one that was asked for."""

import re
from typing import Any

import pymysql
from sqlalchemy import Engine, event

from app.database.connection import ServerConnection
from app.settings import Settings

UNREACHABLE = 2003
# what OpenSSL says, without where in its code it says so
REASON = re.compile(r"CERTIFICATE_VERIFY_FAILED\] (.*?)\.? \(_ssl")


def tls_arguments(settings: Settings) -> dict[str, Any]:
    """Return what the driver needs to verify servers; it reads the file anew at each connection."""
    return {"ssl": {"ca": str(settings.db_tls_ca)}} if settings.db_tls_ca else {}


def explain_refused_certificates(engine: Engine) -> None:
    """Connect; let the error of a server that could not be verified say what to look at."""

    @event.listens_for(engine, "do_connect")
    def _connect(_dialect: object, _record: object, arguments: list[Any], keywords: dict[str, Any]) -> Any:  # noqa: ANN401 - the driver's connection
        try:
            return ServerConnection(*arguments, **keywords)
        except pymysql.OperationalError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise
            raise pymysql.OperationalError(UNREACHABLE, explanation(error, keywords["host"])) from error


def explanation(error: Exception, host: str) -> str:
    reason = REASON.search(str(error))
    return (
        f"the MySQL server at {host} was not accepted: {reason[1] if reason else error}. "
        "DB_TLS_CA must be the file of the authority that made its certificate, and the certificate must "
        "name this host and not have expired"
    )
