"""Promises that are committed together, in a real ledger; and where a write can be read back."""

import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING, Any

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import func, select, text
from sqlalchemy.exc import DataError, OperationalError

from app.database.errors import is_unavailable
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from app.models import Task, User
from app.problems import ProblemError
from app.settings import BUILT_IN_TASK_MODULES
from app.tasks.group_commit import Accepted, GroupCommit, Outcome
from app.tasks.promises import Promise
from app.tasks.registry import TaskRegistry
from app.tasks.service import TaskService
from stack.supervisor import Stack
from tests.stack.mysql_group import Group
from tests.stack.worker.ledger import settings_of

if TYPE_CHECKING:
    from app.tasks.broker import Message

ONE_GTID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}:\d+")
NOBODY = 2**40
TASK = "create_product_from_user"
# Nobody works on it, and no relay looks at it.
QUEUE = "group-commit"


class Committer:
    """The API's way into the ledger, without the API."""

    def __init__(self, database: Database, settings: Any) -> None:  # noqa: ANN401 - copied below
        self.published = list["Message"]()
        settings = settings.model_copy(update={"task_queue": QUEUE})
        registry = TaskRegistry.load(BUILT_IN_TASK_MODULES)
        service = TaskService(registry, settings, self.published.append, lambda _: None)
        self._promises = service.promises
        self.write = GroupCommit(database, service).write

    def promise(self, user_id: int, key: str | None = None) -> Promise:
        payload = {"user_id": user_id}
        return self._promises.one(TASK, payload, key=key, request_id=None, user_ids=[user_id])


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    database = Database(settings_of(stack.env_for("api-1")), DatabaseMetrics(CollectorRegistry()))
    yield database
    database.dispose()


@pytest.fixture
def committer(database: Database, stack: Stack) -> Committer:
    return Committer(database, settings_of(stack.env_for("api-1")))


def first_user(database: Database) -> int:
    with database.read() as session:
        return session.scalars(select(func.min(User.id))).one()


def ids_in_ledger(database: Database, task_ids: Collection[str]) -> set[str]:
    with database.write() as session:
        return set(session.scalars(select(Task.id).where(Task.id.in_(task_ids))))


def id_of(outcome: Outcome) -> str:
    assert isinstance(outcome, Accepted), outcome
    [task] = outcome.tasks
    return task.id


def test_all_of_a_group_are_accepted_by_one_commit_and_published(
    database: Database, committer: Committer
) -> None:
    user_id = first_user(database)
    outcomes = committer.write([committer.promise(user_id) for _ in range(20)])
    ids = [id_of(outcome) for outcome in outcomes]
    assert ids_in_ledger(database, ids) == set(ids)
    assert [message.task_id for message in committer.published] == ids
    [position] = {outcome.position for outcome in outcomes if isinstance(outcome, Accepted)}
    assert position
    assert ONE_GTID.fullmatch(position)


def test_who_names_an_unknown_user_is_refused_alone(database: Database, committer: Committer) -> None:
    user_id = first_user(database)
    promises = [committer.promise(one) for one in (user_id, NOBODY, user_id)]
    first, refused, last = committer.write(promises)
    assert isinstance(refused, ProblemError)
    assert refused.detail == f"There is no user {NOBODY}."
    ids = {id_of(first), id_of(last)}
    assert ids_in_ledger(database, [one.tasks[0].id for one in promises]) == ids
    assert {message.task_id for message in committer.published} == ids


def test_one_key_twice_in_a_group_is_one_task(database: Database, committer: Committer) -> None:
    user_id = first_user(database)
    key = committer.promise(user_id).tasks[0].id
    promises = [committer.promise(user_id, key), committer.promise(user_id), committer.promise(user_id, key)]
    first, other, again = [id_of(outcome) for outcome in committer.write(promises)]
    assert (first == again, first == other) == (True, False)
    assert len(committer.published) == 2
    assert id_of(*committer.write([committer.promise(user_id, key)])) == first
    assert len(committer.published) == 2, "what was promised before is not published again"


def test_a_row_that_the_database_refuses_keeps_only_its_own_request_out(
    database: Database, committer: Committer
) -> None:
    user_id = first_user(database)
    bad = committer.promise(user_id, "k" * 300)
    before, refused, after = committer.write([committer.promise(user_id), bad, committer.promise(user_id)])
    assert isinstance(refused, DataError)
    assert ids_in_ledger(database, [id_of(before), id_of(after), bad.tasks[0].id]) == {
        id_of(before),
        id_of(after),
    }


def test_a_write_is_read_back_with_its_position_from_any_replica(
    database: Database, committer: Committer
) -> None:
    user_id = first_user(database)
    for _ in range(100):
        [outcome] = committer.write([committer.promise(user_id)])
        assert isinstance(outcome, Accepted)
        with database.read(outcome.position) as session:
            assert session.get(Task, id_of(outcome)) is not None


def test_a_transaction_that_wrote_nothing_has_a_position_too(database: Database) -> None:
    with database.write() as session:
        session.scalars(select(User.id)).first()
        session.commit()
        assert ONE_GTID.match(session.position())


def test_a_connection_comes_back_without_a_transaction_whoever_forgot_it(
    database: Database, stack: Stack
) -> None:
    row = text("SELECT id FROM users ORDER BY id LIMIT 1 FOR UPDATE NOWAIT")
    connection = database._primary.connect()
    connection.execute(row)
    connection.connection.close()  # past SQLAlchemy, which would roll back
    other = Database(settings_of(stack.env_for("api-1")), DatabaseMetrics(CollectorRegistry()))
    with other.write() as session:
        assert session.scalar(row) is not None
    other.dispose()


def test_who_waits_for_a_commit_that_the_group_cannot_make_hears_that_the_database_is_away(
    group: Group, database: Database, committer: Committer
) -> None:
    user_id = first_user(database)
    committer.write([committer.promise(user_id)])  # over a connection that is pooled
    with group.held_down(f"mysql-{group.primary()}"):
        promises = [committer.promise(user_id) for _ in range(3)]
        with pytest.raises(OperationalError) as lost:
            committer.write(promises)
        assert is_unavailable(lost.value)
        assert len(committer.published) == 1
    group.wait_complete()
    assert ids_in_ledger(database, [promise.tasks[0].id for promise in promises]) == set()
