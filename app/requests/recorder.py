"""Writes the log of requests in batches, so that no request waits for its own row."""

import queue
import threading
from typing import Any

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database.routing import Database
from app.metrics import ApiMetrics
from app.requests.repository import RequestLogRepository

log = structlog.get_logger(__name__)

BATCH_SIZE = 500
FLUSH_INTERVAL_SECONDS = 0.5


class RequestRecorder:
    """One thread and one bounded queue; what does not fit, or cannot be written, is dropped and counted."""

    def __init__(self, database: Database, metrics: ApiMetrics, capacity: int) -> None:
        self._database = database
        self._metrics = metrics
        self._rows: queue.Queue[dict[str, Any]] = queue.Queue(capacity)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="request-recorder", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Write what is waiting, then end."""
        self._stopping.set()
        self._thread.join(timeout_seconds)

    def record(self, row: dict[str, Any]) -> None:
        """Take a row of `requests`; never blocks."""
        try:
            self._rows.put_nowait(row)
        except queue.Full:
            self._metrics.request_log_dropped.inc()

    def _run(self) -> None:
        while not self._stopping.wait(FLUSH_INTERVAL_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        while rows := self._next_batch():
            try:
                with self._database.write() as session:
                    RequestLogRepository(session).add_batch(rows)
                    session.commit()
                self._metrics.request_log_written.inc(len(rows))
            except SQLAlchemyError as error:
                self._metrics.request_log_dropped.inc(len(rows))
                log.warning("log of requests not written", rows=len(rows), error=error)

    def _next_batch(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        while len(rows) < BATCH_SIZE:
            try:
                rows.append(self._rows.get_nowait())
            except queue.Empty:
                break
        return rows
