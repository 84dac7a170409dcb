"""What clients asked for, and what they were promised."""

import threading
from collections.abc import Iterable
from dataclasses import dataclass, field
from http import HTTPStatus

ACCEPTED = HTTPStatus.ACCEPTED


@dataclass(frozen=True)
class Try:
    """One request; a status of 0 is no answer at all. Times are seconds since the epoch."""

    request_id: str
    sent: float
    ended: float
    status: int


@dataclass
class Order:
    """What a client wants done once, and every request it sent to that end."""

    key: str | None
    tries: list[Try] = field(default_factory=list)
    task_id: str | None = None
    other_task_ids: set[str] = field(default_factory=set)  # that a repetition was answered with

    @property
    def accepted_at(self) -> float:
        """Return when the client knew."""
        return next((one.ended for one in self.tries if one.status == ACCEPTED), 0.0)

    @property
    def uncertain(self) -> list[str]:
        """Return the ids of requests without a right answer: each may have been accepted all the same."""
        return [one.request_id for one in self.tries if one.status != ACCEPTED]


class Journal:
    """Every order of every client."""

    def __init__(self) -> None:
        self.orders: list[Order] = []
        self._lock = threading.Lock()
        self._accepted = 0

    def open(self, key: str | None) -> Order:
        order = Order(key)
        with self._lock:
            self.orders.append(order)
        return order

    def note(self, order: Order, one: Try, task_id: str | None) -> None:
        with self._lock:
            order.tries.append(one)
            if task_id and order.task_id is None:
                order.task_id = task_id
                self._accepted += 1
            elif task_id and task_id != order.task_id:
                order.other_task_ids.add(task_id)

    @property
    def accepted(self) -> int:
        return self._accepted

    def accepted_until(self, moment: float) -> set[str]:
        with self._lock:
            return {order.task_id for order in self.orders if order.task_id and order.accepted_at <= moment}

    def tries(self) -> list[Try]:
        with self._lock:
            return sorted((one for order in self.orders for one in order.tries), key=lambda one: one.ended)


def longest_pause(tries: Iterable[Try], begin: float, end: float) -> float:
    """Return the longest time within which somebody was refused and nobody was accepted, in seconds."""
    longest, last, refused = 0.0, begin, False
    for one in tries:
        if not begin <= one.ended <= end:
            continue
        if one.status == ACCEPTED:
            longest = max(longest, one.ended - last) if refused else longest
            last, refused = one.ended, False
        else:
            refused = True
    return max(longest, end - last) if refused else longest
