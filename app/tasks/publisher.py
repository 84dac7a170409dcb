"""The fast path: what was just committed goes to Redis at once, without the request waiting for it."""

import queue
import threading
import time
from collections.abc import Sequence

import structlog
from sqlalchemy.exc import SQLAlchemyError

from app.database.routing import Database
from app.outbox.repository import OutboxRepository
from app.tasks.broker import Broker, Message, PublishError

log = structlog.get_logger(__name__)

CAPACITY = 20_000
BATCH_SIZE = 500
# Below the second after which the relay takes a row for unpublished.
MARK_INTERVAL_SECONDS = 0.3
PAUSE_AFTER_FAILURE_SECONDS = 1.0


class Publisher:
    """One thread that publishes in batches; whatever it cannot do, the relay does a second later."""

    def __init__(self, broker: Broker, database: Database) -> None:
        self._broker = broker
        self._database = database
        self._waiting: queue.SimpleQueue[Message | None] = queue.SimpleQueue()
        self._unmarked: list[str] = []
        self._marked_at = time.monotonic()
        self._closed_until = 0.0
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Publish what is waiting, then end."""
        self._waiting.put(None)
        self._thread.join(timeout_seconds)

    def enqueue(self, message: Message) -> None:
        """Publish soon. Never blocks and never fails: the committed row is the promise."""
        if self._waiting.qsize() < CAPACITY:
            self._waiting.put(message)

    def _run(self) -> None:
        open_ = True
        while open_:
            batch, open_ = self._next_batch()
            if batch and time.monotonic() >= self._closed_until:
                self._publish(batch)
            if self._unmarked and (not open_ or time.monotonic() - self._marked_at >= MARK_INTERVAL_SECONDS):
                self._mark()

    def _next_batch(self) -> tuple[list[Message], bool]:
        batch: list[Message] = []
        wait: float | None = MARK_INTERVAL_SECONDS if self._unmarked else None
        while len(batch) < BATCH_SIZE:
            try:
                message = self._waiting.get(timeout=wait)
            except queue.Empty:
                break
            if message is None:
                return batch, False
            batch.append(message)
            wait = 0
        return batch, True

    def _publish(self, batch: Sequence[Message]) -> None:
        try:
            self._broker.publish(batch)
        except PublishError as error:
            log.warning("publishing failed, the relay will do it", tasks=len(batch), error=str(error))
            self._closed_until = time.monotonic() + PAUSE_AFTER_FAILURE_SECONDS
            return
        self._unmarked += [message.task_id for message in batch]

    def _mark(self) -> None:
        marked, self._unmarked = self._unmarked, []
        self._marked_at = time.monotonic()
        try:
            with self._database.write() as session:
                OutboxRepository(session).mark_first_publication(marked)
                session.commit()
        except SQLAlchemyError as error:
            # The relay publishes them once more; a second message for a task does no harm.
            log.warning("published tasks could not be marked", tasks=len(marked), error=error)
