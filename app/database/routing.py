"""Which member serves a session: a replica that is current enough, else the primary."""

import itertools
from collections.abc import Iterator
from contextlib import contextmanager

import structlog
from sqlalchemy import Engine, text
from sqlalchemy.exc import SQLAlchemyError

from app.database.engines import connect_to_primary, connect_to_replica, pool_limit
from app.database.errors import is_unavailable
from app.database.pools import PoolMetrics
from app.database.sessions import ReadSession, WriteSession
from app.metrics import DatabaseMetrics
from app.settings import Settings
from app.tracing.tracing import Tracing

log = structlog.get_logger(__name__)


class Database:
    """The pools of one process: the primary's, and one per replica endpoint."""

    def __init__(
        self,
        settings: Settings,
        metrics: DatabaseMetrics,
        idle_seconds: int | None = None,
        tracing: Tracing | None = None,
    ) -> None:
        self._metrics = metrics
        self._wait_seconds = settings.read_your_writes_timeout_seconds
        self._primary = connect_to_primary(settings, "READ COMMITTED", idle_seconds)
        self._primary_reads = self._primary.execution_options(isolation_level="AUTOCOMMIT")
        self._replicas = [connect_to_replica(host, settings) for host in settings.replica_hosts]
        self._turn = itertools.count()
        for engine in (self._primary, *self._replicas):
            (tracing or Tracing()).observe(engine)
        names = ("primary", *(f"replica-{number}" for number in range(1, len(self._replicas) + 1)))
        engines = dict(zip(names, (self._primary, *self._replicas), strict=True))
        self.pool_metrics = PoolMetrics(engines, pool_limit(settings))

    @contextmanager
    def write(self) -> Iterator[WriteSession]:
        """Open a transaction on the primary; the caller commits it."""
        with WriteSession(self._primary) as session:
            yield session

    @contextmanager
    def read(self, position: str | None = None) -> Iterator[ReadSession]:
        """Open a session on a member that has applied `position`.

        A replica that is lost or too far behind is passed over; the primary is the last resort.
        """
        session = self._replica_session(position) or self._primary_session()
        with session:
            yield session

    def dispose(self) -> None:
        """Close every pooled connection; the pools can be used again, as after a fork."""
        for engine in (self._primary, *self._replicas):
            engine.dispose()

    def forget_parent_connections(self) -> None:
        """Drop the pools inherited through a fork without closing the parent's sockets."""
        for engine in (self._primary, *self._replicas):
            engine.dispose(close=False)

    def _replica_session(self, position: str | None) -> ReadSession | None:
        first = next(self._turn)
        for offset in range(len(self._replicas)):
            session = self._try_replica(self._replicas[(first + offset) % len(self._replicas)], position)
            if session:
                return session
        if self._replicas:
            self._metrics.reads_on_primary.inc()
        return None

    def _try_replica(self, engine: Engine, position: str | None) -> ReadSession | None:
        session = ReadSession(engine, "replica")
        try:
            session.connection()
            if position is None or self._has_applied(session, position):
                return session
        except SQLAlchemyError as error:
            if not is_unavailable(error):
                session.close()
                raise
            log.warning("replica passed over", endpoint=engine.url.render_as_string(), error=error)
            self._metrics.replica_failures.inc()
        session.close()
        return None

    def _has_applied(self, session: ReadSession, position: str) -> bool:
        with self._metrics.read_your_writes_wait.time():
            timed_out = session.scalar(
                text("SELECT WAIT_FOR_EXECUTED_GTID_SET(:position, :seconds)"),
                {"position": position, "seconds": self._wait_seconds},
            )
        if timed_out:
            self._metrics.read_your_writes_timeouts.inc()
        return bool(timed_out == 0)

    def _primary_session(self) -> ReadSession:
        session = ReadSession(self._primary_reads, "primary")
        try:
            session.connection()
        except SQLAlchemyError:
            session.close()
            raise
        return session
