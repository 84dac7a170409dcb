"""The example is a module outside the tree, found as users' modules are."""

import sys
from collections.abc import Iterator
from types import SimpleNamespace
from typing import cast

import pytest
from pydantic import SecretStr, ValidationError

from app.database.sessions import WriteSession
from app.main import create_app
from app.settings import Settings
from app.tasks.context import PermanentTaskError, TaskContext
from app.tasks.registry import TaskDefinition, TaskRegistry
from docs.generate import README

CONTEXT = cast("TaskContext", SimpleNamespace(worker="worker-1"))


@pytest.fixture(autouse=True)
def _on_the_path(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.syspath_prepend(str(README.parent / "examples"))
    yield
    sys.modules.pop("greetings", None)


@pytest.fixture
def greet_user() -> TaskDefinition:
    definition = TaskRegistry.load(["greetings"]).get("greet_user")
    assert definition
    return definition


def session_with(user: object) -> WriteSession:
    return cast("WriteSession", SimpleNamespace(get=lambda _model, _user_id: user))


def test_it_is_known_by_its_name_beside_the_built_in_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TASK_MODULES", "greetings")
    settings = Settings(db_password=SecretStr("unused"), secret_key=SecretStr("unused-unused-unused"))
    names = {definition.name for definition in TaskRegistry.load(settings.all_task_modules)}
    assert {"greet_user", "create_product_from_user", "test_worker_connection"} == names
    forms = create_app(settings).openapi()["components"]["schemas"]["TaskSubmission"]["oneOf"]
    assert "Greet a user by name." in [form["description"] for form in forms]


def test_it_greets(greet_user: TaskDefinition) -> None:
    session = session_with(SimpleNamespace(name="Ada"))
    assert greet_user.run(session, {"user_id": 1}, CONTEXT) == {"text": "Hello, Ada!", "worker": "worker-1"}
    answer = greet_user.run(session, {"user_id": 1, "words": "Good morning"}, CONTEXT)
    assert answer == {"text": "Good morning, Ada!", "worker": "worker-1"}


def test_a_user_who_does_not_exist_is_no_reason_to_try_again(greet_user: TaskDefinition) -> None:
    with pytest.raises(PermanentTaskError, match="no user 7"):
        greet_user.run(session_with(None), {"user_id": 7}, CONTEXT)


@pytest.mark.parametrize("payload", [{}, {"user_id": 0}, {"user_id": 1, "words": ""}])
def test_a_payload_that_does_not_fit_is_refused(
    greet_user: TaskDefinition, payload: dict[str, object]
) -> None:
    with pytest.raises(ValidationError):
        greet_user.payload.model_validate(payload)
