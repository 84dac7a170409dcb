import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import cast

import pytest
from pydantic import BaseModel, ValidationError

from app.database.sessions import WriteSession
from app.tasks.context import TaskContext
from app.tasks.registry import TaskDefinitionError, TaskRegistry, task

SESSION = cast("WriteSession", object())
CONTEXT = cast("TaskContext", object())


class Greeting(BaseModel):
    name: str


class Greeted(BaseModel):
    text: str


@task("greet", max_retries=1, queue="slow")
def greet(session: WriteSession, payload: Greeting) -> Greeted:
    """Greet somebody.

    At length.
    """
    assert session is SESSION
    return Greeted(text=f"Hello {payload.name}")


@task("forget")
def forget(session: WriteSession, payload: Greeting, context: TaskContext) -> None:
    del session, payload
    assert context is CONTEXT


@pytest.fixture
def module() -> Iterator[ModuleType]:
    made = ModuleType("made_for_this_test")
    sys.modules[made.__name__] = made
    yield made
    del sys.modules[made.__name__]


def test_a_task_is_still_a_plain_function() -> None:
    assert greet(SESSION, Greeting(name="Ada")) == Greeted(text="Hello Ada")


def test_the_payload_is_validated_and_the_result_made_json_ready() -> None:
    assert greet.run(SESSION, {"name": "Ada"}, CONTEXT) == {"text": "Hello Ada"}
    with pytest.raises(ValidationError):
        greet.run(SESSION, {"name": ["Ada"]}, CONTEXT)


def test_a_task_gets_its_context_if_it_asks_for_it() -> None:
    assert forget.takes_context
    assert forget.run(SESSION, {"name": "Ada"}, CONTEXT) is None


def test_the_summary_is_the_first_line_of_the_docstring() -> None:
    assert greet.summary == "Greet somebody."
    assert forget.summary == ""


def test_a_function_of_another_shape_is_refused_with_the_right_one() -> None:
    def wrong(payload: Greeting) -> None: ...

    with pytest.raises(TaskDefinitionError, match=r"def wrong\(session: WriteSession, payload: YourModel\)"):
        task("wrong")(wrong)


def test_a_module_is_searched_for_its_tasks(module: ModuleType) -> None:
    module.greet = greet  # type: ignore[attr-defined] # what a module of tasks holds
    registry = TaskRegistry.load([module.__name__])
    assert registry.get("greet") is greet
    assert registry.get("forget") is None
    assert list(registry) == [greet]


def test_a_missing_module_is_named_with_the_cure() -> None:
    with pytest.raises(TaskDefinitionError, match=r"no module 'no_such_module'.*PYTHONPATH"):
        TaskRegistry.load(["no_such_module"])


def test_an_import_that_fails_inside_a_module_is_not_taken_for_a_missing_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "broken_tasks.py").write_text("import a_library_that_is_missing\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(ModuleNotFoundError, match="a_library_that_is_missing"):
        TaskRegistry.load(["broken_tasks"])


def test_a_module_without_tasks_is_refused(module: ModuleType) -> None:
    with pytest.raises(TaskDefinitionError, match="defines no @task"):
        TaskRegistry.load([module.__name__])


def test_two_tasks_of_one_name_are_refused() -> None:
    twin = task("greet")(forget.function)
    with pytest.raises(TaskDefinitionError, match="two tasks are named 'greet'"):
        TaskRegistry([greet, twin])
