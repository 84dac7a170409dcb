"""Group commit, with a stand-in for the database that is held at will."""

import asyncio
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Sequence
from typing import Any

import pytest
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from app.models import Task
from app.problems import ProblemError
from app.tasks import acceptor as acceptor_module
from app.tasks.acceptor import MOST_COMMITS, MOST_TASKS_PER_COMMIT, Acceptor
from app.tasks.group_commit import Accepted, Outcome
from app.tasks.promises import Promise
from app.users.service import no_such_users

DEADLINE_SECONDS = 20
LOST = OperationalError("COMMIT", None, Exception("gone"))


def promise(number: int, tasks: int = 1) -> Promise:
    return Promise([Task(id=f"{number}-{each}") for each in range(tasks)])


class StandInCommit:
    """Notes each group, and ends its commit when it is told to."""

    def __init__(self) -> None:
        self.groups: list[list[Promise]] = []
        self.fails_with: Exception | None = None
        self.refuses: dict[int, Exception] = {}
        self._may_end = threading.Semaphore(0)
        self._begun = threading.Semaphore(0)

    def __call__(self, promises: Sequence[Promise]) -> Sequence[Outcome]:
        self.groups.append(list(promises))
        self._begun.release()
        assert self._may_end.acquire(timeout=DEADLINE_SECONDS)
        if self.fails_with:
            raise self.fails_with
        return [
            self.refuses.get(number) or Accepted(one.tasks, "group:1") for number, one in enumerate(promises)
        ]

    def end(self, times: int = 1) -> None:
        self._may_end.release(times)

    async def begun(self) -> None:
        assert await asyncio.to_thread(self._begun.acquire, timeout=DEADLINE_SECONDS)

    @property
    def sizes(self) -> list[int]:
        return [len(group) for group in self.groups]


@pytest.fixture
def commit() -> Iterator[StandInCommit]:
    commit = StandInCommit()
    yield commit
    commit.end(1000)


@pytest.fixture(autouse=True)
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor_module, "PATIENCE_SECONDS", DEADLINE_SECONDS)
    monkeypatch.setattr(acceptor_module, "WAIT_SECONDS", DEADLINE_SECONDS)


def run(scene: Callable[[], Coroutine[Any, Any, None]]) -> None:
    asyncio.run(asyncio.wait_for(scene(), DEADLINE_SECONDS))


async def ask(acceptor: Acceptor, *promises: Promise) -> list["asyncio.Task[Accepted]"]:
    asked = [asyncio.create_task(acceptor.accept(one)) for one in promises]
    await asyncio.sleep(0)
    return asked


async def error_of(asked: Awaitable[Accepted]) -> BaseException:
    with pytest.raises(Exception) as raised:  # noqa: PT011 - whichever, for the test to look at
        await asked
    return raised.value


def test_what_is_asked_for_during_a_commit_is_committed_together_by_the_next(commit: StandInCommit) -> None:
    async def scene() -> None:
        acceptor = Acceptor(commit)
        first = await ask(acceptor, promise(0))
        await commit.begun()
        others = await ask(acceptor, *(promise(number) for number in range(1, 6)))
        commit.end(2)
        answers = await asyncio.gather(*first, *others)
        assert [answer.tasks[0].id for answer in answers] == [f"{number}-0" for number in range(6)]
        assert {answer.position for answer in answers} == {"group:1"}

    run(scene)
    assert commit.sizes == [1, 5]


def test_one_that_is_refused_keeps_nobody_else_out(commit: StandInCommit) -> None:
    async def scene() -> None:
        commit.refuses[1] = no_such_users([7])
        acceptor = Acceptor(commit)
        [first] = await ask(acceptor, promise(0))
        await commit.begun()
        before, refused, after = await ask(acceptor, *map(promise, (1, 2, 3)))
        commit.end(2)
        assert isinstance(await error_of(refused), ProblemError)
        assert [(await one).tasks[0].id for one in (first, before, after)] == ["0-0", "1-0", "3-0"]

    run(scene)


def test_all_who_wait_for_a_commit_hear_that_the_primary_was_lost(commit: StandInCommit) -> None:
    async def scene() -> None:
        commit.fails_with = LOST
        acceptor = Acceptor(commit)
        first = await ask(acceptor, promise(0))
        await commit.begun()
        others = await ask(acceptor, promise(1), promise(2))
        commit.end(2)
        assert [await error_of(one) for one in (*first, *others)] == [LOST] * 3
        commit.fails_with = None
        [next_] = await ask(acceptor, promise(3))
        commit.end()
        assert (await next_).tasks[0].id == "3-0", "the acceptor outlives it"

    run(scene)


def test_a_commit_takes_no_more_tasks_than_it_should_but_a_large_promise_whole(
    commit: StandInCommit,
) -> None:
    async def scene() -> None:
        acceptor = Acceptor(commit)
        asked = await ask(acceptor, promise(0))
        await commit.begun()
        large = MOST_TASKS_PER_COMMIT + 1
        asked += await ask(acceptor, promise(1), promise(2, MOST_TASKS_PER_COMMIT), promise(3, large))
        commit.end(4)
        await asyncio.gather(*asked)

    run(scene)
    assert [[len(one.tasks) for one in group] for group in commit.groups] == [[1], [1], [500], [501]]


def test_who_waits_too_long_for_a_turn_is_told_so_and_never_accepted(
    commit: StandInCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene() -> None:
        acceptor = Acceptor(commit)
        [first] = await ask(acceptor, promise(0))
        await commit.begun()
        monkeypatch.setattr(acceptor_module, "WAIT_SECONDS", 0.01)
        [late] = await ask(acceptor, promise(1))
        assert isinstance(await error_of(late), PoolTimeoutError)
        commit.end(2)
        await first
        monkeypatch.setattr(acceptor_module, "WAIT_SECONDS", DEADLINE_SECONDS)
        [last] = await ask(acceptor, promise(2))
        await last

    run(scene)
    assert [[one.tasks[0].id for one in group] for group in commit.groups] == [["0-0"], ["2-0"]]


def test_a_commit_under_way_is_waited_for_however_long_it_takes(
    commit: StandInCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor_module, "WAIT_SECONDS", 0.01)

    async def scene() -> None:
        acceptor = Acceptor(commit)
        [first] = await ask(acceptor, promise(0))
        await commit.begun()
        await asyncio.sleep(0.05)
        assert not first.done(), "nobody can know yet whether it is accepted"
        commit.end()
        assert (await first).tasks[0].id == "0-0"

    run(scene)


def test_a_commit_that_hangs_holds_up_only_its_own_group(
    commit: StandInCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor_module, "PATIENCE_SECONDS", 0.01)

    async def scene() -> None:
        acceptor = Acceptor(commit)
        asked = await ask(acceptor, promise(0))
        await commit.begun()
        asked += await ask(acceptor, promise(1), promise(2))
        await commit.begun()  # without the end of the first
        assert not any(one.done() for one in asked)
        commit.end(2)
        await asyncio.gather(*asked)

    run(scene)
    assert commit.sizes == [1, 2]


def test_no_more_commits_hang_at_once_than_there_are_threads(
    commit: StandInCommit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acceptor_module, "PATIENCE_SECONDS", 0)

    async def scene() -> None:
        acceptor = Acceptor(commit)
        asked = []
        for number in range(MOST_COMMITS):
            asked += await ask(acceptor, promise(number))
            await commit.begun()
        monkeypatch.setattr(acceptor_module, "WAIT_SECONDS", 0.01)
        [turned_away] = await ask(acceptor, promise(MOST_COMMITS))
        assert isinstance(await error_of(turned_away), PoolTimeoutError)
        commit.end(MOST_COMMITS)
        await asyncio.gather(*asked)

    run(scene)
    assert commit.sizes == [1] * MOST_COMMITS


def test_more_than_fits_is_refused_at_once(commit: StandInCommit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acceptor_module, "CAPACITY", 3)

    async def scene() -> None:
        acceptor = Acceptor(commit)
        asked = await ask(acceptor, promise(0))
        await commit.begun()
        asked += await ask(acceptor, promise(1, 3))
        [refused] = await ask(acceptor, promise(2))
        assert isinstance(await error_of(refused), PoolTimeoutError)
        commit.end(3)
        await asyncio.gather(*asked)
        await asyncio.gather(*await ask(acceptor, promise(3)))

    run(scene)


def test_a_request_that_went_away_leaves_its_group_alone(commit: StandInCommit) -> None:
    async def scene() -> None:
        acceptor = Acceptor(commit)
        [gone] = await ask(acceptor, promise(0))
        await commit.begun()
        gone.cancel()
        withdrawn, kept = await ask(acceptor, promise(1), promise(2))
        withdrawn.cancel()
        await asyncio.sleep(0)
        commit.end(2)
        assert (await kept).tasks[0].id == "2-0"

    run(scene)
    assert [[one.tasks[0].id for one in group] for group in commit.groups] == [["0-0"], ["2-0"]]
