"""Group commit: what is asked for while a commit is under way is committed together, by the next one."""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.tasks.group_commit import Accepted, Outcome
from app.tasks.promises import Promise

MOST_TASKS_PER_COMMIT = 500
CAPACITY = 20_000
# As long as a request waits for a connection; it is withdrawn then, and certainly not accepted.
WAIT_SECONDS = 3.0
# A commit that takes longer is waited for no more, so that one dead connection holds up one group only.
PATIENCE_SECONDS = 0.3
MOST_COMMITS = 4


class _Waiting:
    """A promise whose request waits for the outcome."""

    def __init__(self, promise: Promise, outcome: asyncio.Future[Accepted]) -> None:
        self.promise = promise
        self.outcome = outcome
        self.is_under_way = False

    def give_up(self) -> None:
        if not self.is_under_way and not self.outcome.done():
            self.outcome.set_exception(PoolTimeoutError("the primary has not committed for too long"))


class Acceptor:
    """Lives in the event loop, which alone touches its state; commits are made in threads.

    There is no timer: a request that comes alone is committed at once, alone.
    """

    def __init__(self, commit: Callable[[Sequence[Promise]], Sequence[Outcome]]) -> None:
        self._commit = commit
        self._threads = ThreadPoolExecutor(MOST_COMMITS, "acceptor")
        self._waiting: deque[_Waiting] = deque()
        self._tasks_waiting = 0
        self._commits = 0
        self._awaited: asyncio.Future[Sequence[Outcome]] | None = None

    async def accept(self, promise: Promise) -> Accepted:
        """Return when the promise is in the ledger, committed.

        Raises:
            ProblemError: it is refused.
            SQLAlchemyError: the primary is lost or overloaded.
        """
        if self._tasks_waiting + len(promise.tasks) > CAPACITY:
            raise PoolTimeoutError("too many requests wait for the primary")
        loop = asyncio.get_running_loop()
        waiting = _Waiting(promise, loop.create_future())
        self._waiting.append(waiting)
        self._tasks_waiting += len(promise.tasks)
        end_of_waiting = loop.call_later(WAIT_SECONDS, waiting.give_up)
        self._begin()
        try:
            return await waiting.outcome
        finally:
            end_of_waiting.cancel()

    def close(self) -> None:
        """Begin nothing more; what is under way is ended by the database's own time-outs."""
        self._threads.shutdown(wait=False)

    def _begin(self) -> None:
        """Commit what waits, unless a commit is under way whose end comes first."""
        if self._awaited or self._commits == MOST_COMMITS or not (group := self._next_group()):
            return
        loop = asyncio.get_running_loop()
        promises = [waiting.promise for waiting in group]
        commit = loop.run_in_executor(self._threads, self._commit, promises)
        self._commits += 1
        self._awaited = commit
        patience = loop.call_later(PATIENCE_SECONDS, self._await_no_more, commit)
        commit.add_done_callback(partial(self._end, group, patience))

    def _next_group(self) -> list[_Waiting]:
        group: list[_Waiting] = []
        tasks = 0
        while self._waiting:
            size = len(self._waiting[0].promise.tasks)
            if group and tasks + size > MOST_TASKS_PER_COMMIT:
                break
            waiting = self._waiting.popleft()
            self._tasks_waiting -= size
            if not waiting.outcome.done():  # else its request has given up
                waiting.is_under_way = True
                group.append(waiting)
                tasks += size
        return group

    def _await_no_more(self, commit: asyncio.Future[Sequence[Outcome]]) -> None:
        if self._awaited is commit:
            self._awaited = None
            self._begin()

    def _end(
        self,
        group: Sequence[_Waiting],
        patience: asyncio.TimerHandle,
        commit: asyncio.Future[Sequence[Outcome]],
    ) -> None:
        patience.cancel()
        self._commits -= 1
        self._await_no_more(commit)
        if self._awaited is None:
            self._begin()
        for waiting, outcome in zip(group, _outcomes(commit, len(group)), strict=True):
            if waiting.outcome.done():  # its request was cancelled
                continue
            if isinstance(outcome, Accepted):
                waiting.outcome.set_result(outcome)
            else:
                waiting.outcome.set_exception(outcome)


def _outcomes(commit: asyncio.Future[Sequence[Outcome]], size: int) -> Sequence[Outcome | BaseException]:
    error = commit.exception()
    return [error] * size if error else commit.result()
