"""What each promise of a group hears, with a stand-in for the primary."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

import pymysql
import pytest
from sqlalchemy.exc import DBAPIError, IntegrityError, OperationalError

from app.models import Task
from app.problems import ProblemError
from app.tasks import group_commit
from app.tasks.group_commit import Accepted, GroupCommit
from app.tasks.promises import Promise

if TYPE_CHECKING:
    from app.database.routing import Database
    from app.tasks.service import TaskService

LOST, DEADLOCK, DUPLICATE = 2013, 1213, 1062


def error(code: int) -> DBAPIError:
    kind = IntegrityError if code == DUPLICATE else OperationalError
    return kind("INSERT", None, pymysql.err.OperationalError(code, "why"))


class StandInPrimary:
    """Knows one user, keeps what is committed, and fails as it is told."""

    def __init__(self) -> None:
        self.insert_fails: int | None = None
        self.commit_fails: int | None = None
        self.alone_fails: dict[str, Exception] = {}
        self.tried_alone: list[str] = []
        self.announced: list[str] = []
        self.committed: list[list[str]] = []
        self._open: list[str] = []

    @contextmanager
    def write(self) -> Iterator["StandInPrimary"]:
        self._open = []
        yield self

    def known(self, user_ids: Collection[int]) -> set[int]:
        return {1} & set(user_ids)

    def insert(self, tasks: Sequence[Task]) -> None:
        if self.insert_fails:
            raise error(self.insert_fails)
        self._open += [task.id for task in tasks]

    def write_one(self, promise: Promise) -> Sequence[Task]:
        task = promise.tasks[0]
        self.tried_alone.append(task.id)
        if task.id in self.alone_fails:
            raise self.alone_fails[task.id]
        self._open.append(task.id)
        return promise.tasks

    def commit(self) -> None:
        if self.commit_fails:
            raise error(self.commit_fails)
        self.committed.append(self._open)

    def position(self) -> str:
        return f"group:{len(self.committed)}"


class StandInService:
    def __init__(self, primary: StandInPrimary) -> None:
        self._primary = primary

    def write(self, _session: object, promise: Promise) -> Sequence[Task]:
        return self._primary.write_one(promise)

    def announce(self, tasks: Sequence[Task]) -> None:
        self._primary.announced += [task.id for task in tasks]


@pytest.fixture
def primary(monkeypatch: pytest.MonkeyPatch) -> StandInPrimary:
    monkeypatch.setattr(group_commit, "UserRepository", lambda session: session)
    monkeypatch.setattr(group_commit, "TaskChanges", lambda session: session)
    return StandInPrimary()


def write(primary: StandInPrimary, *promises: Promise) -> list[object]:
    """Return each one's position, or its error."""
    service = cast("TaskService", StandInService(primary))
    outcomes = GroupCommit(cast("Database", primary), service).write(promises)
    return [outcome.position if isinstance(outcome, Accepted) else outcome for outcome in outcomes]


def promise(task_id: str, user_id: int = 1) -> Promise:
    return Promise([Task(id=task_id)], user_ids=frozenset([user_id]))


def test_one_commit_is_for_all(primary: StandInPrimary) -> None:
    assert write(primary, promise("a"), promise("b")) == ["group:1", "group:1"]
    assert primary.committed == [["a", "b"]]
    assert primary.announced == ["a", "b"]


def test_only_who_names_an_unknown_user_is_refused(primary: StandInPrimary) -> None:
    first, refused, last = write(primary, promise("a"), promise("b", user_id=2), promise("c"))
    assert (first, last) == ("group:1", "group:1")
    assert isinstance(refused, ProblemError)
    assert primary.committed == [["a", "c"]]
    assert primary.announced == ["a", "c"]


@pytest.mark.parametrize("code", [DUPLICATE, DEADLOCK])
def test_after_a_statement_that_failed_each_has_a_transaction_of_its_own(
    primary: StandInPrimary, code: int
) -> None:
    primary.insert_fails = code
    primary.alone_fails = {"b": error(DUPLICATE)}
    first, refused, last = write(primary, promise("a"), promise("b"), promise("c"))
    assert (first, last) == ("group:1", "group:2")
    assert refused is primary.alone_fails["b"]
    assert primary.committed == [["a"], ["c"]]
    assert primary.announced == [], "each transaction has published what it committed by itself"


@pytest.mark.parametrize("stage", ["insert", "commit"])
def test_nobody_is_told_that_anything_was_accepted_when_the_primary_is_lost(
    primary: StandInPrimary, stage: str
) -> None:
    setattr(primary, f"{stage}_fails", LOST)
    with pytest.raises(OperationalError):
        write(primary, promise("a"), promise("b"))
    assert (primary.tried_alone, primary.announced) == ([], [])


def test_a_commit_of_which_nobody_knows_the_end_is_not_tried_again(primary: StandInPrimary) -> None:
    primary.commit_fails = DEADLOCK
    with pytest.raises(OperationalError):
        write(primary, promise("a"), promise("b"))
    assert primary.tried_alone == []


def test_who_is_behind_somebody_who_lost_the_primary_does_not_wait_for_it_once_more(
    primary: StandInPrimary,
) -> None:
    primary.insert_fails = DUPLICATE
    primary.alone_fails = {"b": error(LOST)}
    first, second, third = write(primary, promise("a"), promise("b"), promise("c"))
    assert first == "group:1"
    assert second is third is primary.alone_fails["b"]
    assert primary.tried_alone == ["a", "b"]
