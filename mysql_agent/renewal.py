"""A renewed certificate is taken over by the running server: no restart, no client disconnected."""

import ssl
from contextvars import copy_context
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Protocol

import pymysql
import structlog
from cryptography import x509

from mysql_agent.connect import Server, error_text
from mysql_agent.metrics import Metrics

log = structlog.get_logger(__name__)

LOOK_SECONDS = 10.0
_SHOWN = """
SELECT variable_name AS name, variable_value AS value FROM performance_schema.global_status
WHERE variable_name IN ('Ssl_server_not_before', 'Ssl_server_not_after')
"""


@dataclass(frozen=True)
class Term:
    """From when until when a certificate holds, in seconds of Unix time; enough to tell two apart."""

    start: float
    end: float


class Certificate(Protocol):
    def shown(self) -> Term | None: ...

    def reload(self) -> None: ...


class OwnCertificate:
    """The own server, as far as its certificate goes."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def shown(self) -> Term | None:
        """Ask which certificate new connections see."""
        with self._server.session() as session:
            said = {str(row["name"]).lower(): str(row["value"]) for row in session.rows(_SHOWN)}
        start, end = said.get("ssl_server_not_before"), said.get("ssl_server_not_after")
        return Term(_seconds(start), _seconds(end)) if start and end else None

    def reload(self) -> None:
        """Let it read its files again; it refuses, and goes on as before, if they do not fit together."""
        with self._server.session() as session:
            session.run("ALTER INSTANCE RELOAD TLS")


class Renewal(Thread):
    """Compares what the server shows with what the file holds, again and again; remembers nothing."""

    def __init__(self, own: Certificate, file: Path | None, metrics: Metrics, stop: Event) -> None:
        # In the context of who made it, so that its log lines name the member too.
        super().__init__(name="renewal", daemon=True, target=copy_context().run, args=(self._run,))
        self._own = own
        self._file = file
        self._metrics = metrics
        self._stop_event = stop
        self._said = ""

    def _run(self) -> None:
        while True:
            self.look()
            if self._stop_event.wait(LOOK_SECONDS):
                return

    def look(self) -> None:
        """Look once, and reload if that is due."""
        try:
            shown = self._follow(self._own.shown())
        except (pymysql.MySQLError, OSError) as error:
            self._complain(error_text(error))
            return
        except ValueError as error:
            self._complain(f"{self._file} holds no certificate: {error}")
            return
        self._said = ""
        self._metrics.certificate_expiry.set(shown.end if shown else 0)

    def _follow(self, shown: Term | None) -> Term | None:
        if self._file is None or shown is None or term_of(self._file) == shown:
            return shown
        try:
            self._own.reload()
        except pymysql.MySQLError:
            self._metrics.certificate_reloads.labels("failed").inc()
            raise
        self._metrics.certificate_reloads.labels("done").inc()
        shown = self._own.shown()
        log.info("certificate renewed", holds_until=_iso(shown.end) if shown else "unknown")
        return shown

    def _complain(self, text: str) -> None:
        if text != self._said:
            log.warning("the server's certificate was not looked at", error=text)
            self._said = text


def term_of(file: Path) -> Term:
    certificate = x509.load_pem_x509_certificate(file.read_bytes())
    return Term(certificate.not_valid_before_utc.timestamp(), certificate.not_valid_after_utc.timestamp())


def _seconds(text: str) -> float:
    """Read `Nov 25 10:00:00 2026 GMT`."""
    return float(ssl.cert_time_to_seconds(text))


def _iso(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
