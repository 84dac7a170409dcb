"""Celery's request of a batch: one job of the pool for several messages."""

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any, NamedTuple

import structlog
from celery.worker.request import Request

from app.correlation import REQUEST_ID, harmless
from app.tracing.tracing import TRACEPARENT
from worker.message import Delivery

log = structlog.get_logger(__name__)


class Member(NamedTuple):
    """A message of a batch, and Celery's own ways to end it."""

    message: Any
    acknowledge: Callable[..., Any]
    reject: Callable[..., Any]

    @property
    def task_id(self) -> str:
        """The task's id."""
        return str(self.message.headers["id"])

    def delivery(self, queue: str) -> Delivery:
        """Return what the process that runs it has to know."""
        traceparent = self.message.headers.get(TRACEPARENT)
        return Delivery(
            self.task_id,
            queue,
            harmless(self.message.headers.get(REQUEST_ID)),
            traceparent if isinstance(traceparent, str) else None,
        )


class BatchRequest(Request):
    """Acknowledges what its process has dealt with; all else runs alone, as when the process has died."""

    def __init__(
        self,
        members: Sequence[Member],
        run_alone: Callable[[Sequence[Member]], None],
        *,
        queue: str,
        **options: Any,  # noqa: ANN401 - Celery's own
    ) -> None:
        first = members[0].message
        self.members = tuple(members)
        self._run_alone = run_alone
        self._alone: Collection[int] | None = None
        deliveries = [member.delivery(queue) for member in members]
        super().__init__(
            first,
            headers={name: first.headers[name] for name in ("id", "task")},
            body=((), {"batch": deliveries}, {}),
            decoded=True,
            on_ack=self._end,
            on_reject=self._reject_all,
            **options,
        )

    def on_success(self, failed__retval__runtime: tuple[bool, Any, float], **options: Any) -> Any:  # noqa: ANN401 - Celery's own
        """Take from the process which of the messages it has not dealt with."""
        failed, returned, _ = failed__retval__runtime
        if not failed:
            self._alone = places(int(returned))
        return super().on_success(failed__retval__runtime, **options)

    def _end(self, *celerys: Any) -> None:  # noqa: ANN401 - Celery's logger and errors
        if self._alone is None:
            for member in self.members:
                log.warning(
                    "batch did not end, its task is run alone", task=self.name, task_id=member.task_id
                )
        alone = range(len(self.members)) if self._alone is None else self._alone
        for place, member in enumerate(self.members):
            if place not in alone:
                member.acknowledge(*celerys)
        if alone:
            self._run_alone([self.members[place] for place in alone])

    def _reject_all(self, *celerys: Any) -> None:  # noqa: ANN401 - as above, and whether to requeue
        for member in self.members:
            member.reject(*celerys)


def mask(chosen: Iterable[int]) -> int:
    """Return places as a number, as Celery hands over what a task returns in words."""
    return sum(1 << place for place in chosen)


def places(mask: int) -> list[int]:
    """Return the places that a number stands for."""
    return [place for place in range(mask.bit_length()) if mask >> place & 1]
