"""A promise is counted when it is committed, and once."""

from typing import TYPE_CHECKING, cast

import pytest
from pydantic import BaseModel, SecretStr

from app.database.sessions import WriteSession
from app.settings import Settings
from app.tasks import idempotency
from app.tasks import service as service_module
from app.tasks.registry import TaskRegistry, task
from app.tasks.service import TaskService

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from app.models import Task
    from app.tasks.broker import Message


class Nothing(BaseModel):
    pass


@task("echo")
def echo(session: WriteSession, payload: Nothing) -> None:
    del session, payload


class Session:
    """Remembers what is to follow the commit."""

    def __init__(self) -> None:
        self.actions: list[Callable[[], None]] = []

    def after_commit(self, action: "Callable[[], None]") -> None:
        self.actions.append(action)

    def commit(self) -> None:
        for action in self.actions:
            action()


class Ledger:
    """Stands in for the table of tasks."""

    def __init__(self) -> None:
        self.known: list[Task] = []

    def add(self, tasks: "Iterable[Task]") -> None:
        self.known += tasks

    def list_by_keys(self, keys: "Sequence[str]") -> "Sequence[Task]":
        return [task for task in self.known if task.idempotency_key in keys]


def test_an_accepted_task_counts_once_and_only_when_it_is_committed(monkeypatch: pytest.MonkeyPatch) -> None:
    ledger, published, counted = Ledger(), list["Message"](), list[str]()
    monkeypatch.setattr(service_module, "TaskChanges", lambda _: ledger)
    monkeypatch.setattr(idempotency, "TaskRepository", lambda _: ledger)
    settings = Settings(db_password=SecretStr("unused"))
    service = TaskService(TaskRegistry([echo]), settings, published.append, counted.append)

    lost, first, again = Session(), Session(), Session()
    service.accept(cast("WriteSession", lost), "echo", {})
    service.accept(cast("WriteSession", first), "echo", {}, idempotency_key="key")
    assert counted == []
    first.commit()
    assert (counted, len(published)) == (["echo"], 1)

    service.accept(cast("WriteSession", again), "echo", {}, idempotency_key="key")
    again.commit()
    assert (counted, len(published)) == (["echo"], 1), "the same promise again is no second one"
