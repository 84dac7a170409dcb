"""An attempt stops in the middle of its task until it is told how to go on."""

import queue
import threading
from collections.abc import Callable
from enum import Enum

from tests.stack.ledger.faults import Crash
from worker.outcome import Outcome

PATIENCE_SECONDS = 60


class Order(Enum):
    """How a task goes on that has started."""

    SUCCEED = "it has its effect and returns"
    FAIL = "it raises"
    FAIL_FOR_GOOD = "it raises what no retry cures"
    CRASH = "its process dies"
    CRASH_AFTER_EFFECT = "its process dies after the effect was written, before the end is"


class Attempt:
    """The handling of one message, in a thread of its own: either at rest in the task, or ended."""

    def __init__(self, handle: Callable[["Attempt"], Outcome], task_id: str) -> None:
        self.task_id = task_id
        self.number = 0
        self.outcome: Outcome | None = None
        self.crashed = False
        self.error: BaseException | None = None
        self._events: queue.Queue[str] = queue.Queue()
        self._orders: queue.Queue[Order] = queue.Queue()
        self._thread = threading.Thread(target=self._run, args=(handle,), daemon=True)
        self._thread.start()
        self._wait()

    def go_on(self, order: Order) -> None:
        """Go on as ordered, and wait for the end; a task that is run again goes on in the same way."""
        while not self.has_ended:
            self._orders.put(order)
            self._wait()

    @property
    def has_ended(self) -> bool:
        return not self._thread.is_alive()

    def rest(self, number: int) -> Order:
        """Called by the task: say that it has started, and wait for the order."""
        self.number = number
        self._events.put("started")
        return self._orders.get(timeout=PATIENCE_SECONDS)

    def _wait(self) -> None:
        if self._events.get(timeout=PATIENCE_SECONDS) == "ended":
            self._thread.join(PATIENCE_SECONDS)
            if self.error:
                raise self.error

    def _run(self, handle: Callable[["Attempt"], Outcome]) -> None:
        try:
            self.outcome = handle(self)
        except Crash:
            self.crashed = True
        except BaseException as error:  # noqa: BLE001 - raised again by the thread that waits
            self.error = error
        self._events.put("ended")
