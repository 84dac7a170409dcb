"""Stands in for Redis alone: a queue whose messages get lost, doubled and delayed as told."""

import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from enum import Enum

from app.tasks.broker import Message, PublishError
from app.tasks.queues import QueueState
from tests.stack.ledger.faults import Crash


class PublishFault(Enum):
    """How publishing ends."""

    NONE = "it is answered"
    REFUSED = "nothing arrives"
    UNANSWERED = "everything arrives, but the connection breaks before the answer"
    CRASH_BEFORE = "the process dies before it"
    CRASH_AFTER = "the process dies after it"


class StandInQueue:
    """Is the broker and the inspector of queues at once."""

    def __init__(self) -> None:
        self.waiting: list[tuple[float, str]] = []
        self.fault = PublishFault.NONE
        self.when_published: Callable[[set[str]], None] | None = None
        self._published: dict[str, float] = {}

    def publish(self, messages: Sequence[Message]) -> None:
        fault, self.fault = self.fault, PublishFault.NONE
        if fault is PublishFault.CRASH_BEFORE:
            raise Crash(fault.value)
        if fault is PublishFault.REFUSED:
            raise PublishError(fault.value)
        ids = {message.task_id for message in messages}
        self.waiting += [(time.time(), message.task_id) for message in messages]
        self._published |= dict.fromkeys(ids, time.time())
        if fault is PublishFault.CRASH_AFTER:
            raise Crash(fault.value)
        if fault is PublishFault.UNANSWERED:
            raise PublishError(fault.value)
        then, self.when_published = self.when_published, None
        if then:
            then(ids)

    def inspect(self, queue: str) -> QueueState:
        del queue
        oldest = datetime.fromtimestamp(self.waiting[0][0], UTC) if self.waiting else None
        return QueueState(len(self.waiting), oldest)

    def take(self, index: int) -> str:
        return self.waiting.pop(index)[1]

    def put_back(self, task_id: str) -> None:
        self.waiting.insert(0, (self._published[task_id], task_id))

    def lose_everything(self) -> None:
        self.waiting.clear()

    def age(self, seconds: float) -> None:
        self.waiting = [(published - seconds, task_id) for published, task_id in self.waiting]
        self._published = {task_id: published - seconds for task_id, published in self._published.items()}
