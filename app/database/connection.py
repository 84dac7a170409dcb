"""PyMySQL's connection, with what it drops and without what it does not need."""

import ssl
from functools import cache
from typing import Any

import pymysql
from pymysql.constants import CLIENT

from app.database.own_gtid import SESSION_STATE_CHANGED, gtid_of

# Ask the server for a commit's GTID; without effect on a server that writes none.
TRACKING_FLAG = CLIENT.SESSION_TRACK
TRACKING_VARIABLE = "SESSION session_track_gtids = OWN_GTID"


class ServerConnection(pymysql.Connection):
    """Knows what its last commit was and whether it needs a ROLLBACK; shares one TLS context with all others.

    PyMySQL loads the system's authorities for each connection, even where no server is verified:
    20 ms and nearly 1 MB each.
    """

    own_gtid: str | None = None
    # PyMySQL hears of a transaction from OK packets only, which the answer to a SELECT has none of
    may_have_transaction = False

    def query(self, sql: Any, unbuffered: bool = False) -> int:  # noqa: ANN401, FBT001, FBT002 - as the driver has it
        """Run a statement, which may begin a transaction."""
        self.may_have_transaction = True
        return super().query(sql, unbuffered)

    def commit(self) -> None:
        """Commit, and remember under which GTID; None if nothing was written."""
        self.own_gtid = None
        super().commit()
        self.may_have_transaction = False

    def rollback(self) -> None:
        """Roll back."""
        super().rollback()
        self.may_have_transaction = False

    def _read_ok_packet(self) -> Any:  # noqa: ANN401 - a class that PyMySQL's stubs do not know
        answer = super()._read_ok_packet()  # type: ignore[misc] # private; a contract test holds it
        if answer.server_status & SESSION_STATE_CHANGED:
            self.own_gtid = gtid_of(answer.message)
        return answer

    def _create_ssl_ctx(self, options: Any) -> ssl.SSLContext:  # noqa: ANN401 - as above
        if options:
            context = super()._create_ssl_ctx(options)  # type: ignore[misc] # as above
            assert isinstance(context, ssl.SSLContext)  # noqa: S101 - PyMySQL has no types
            return context
        return _encrypted_only()


@cache
def _encrypted_only() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
