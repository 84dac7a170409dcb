"""`@task` turns a plain function of (session, payload) into a task; `TaskRegistry` finds them."""

import importlib
import inspect
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, get_type_hints

from pydantic import BaseModel

from app.database.sessions import WriteSession
from app.tasks.context import TaskContext

TaskFunction = Callable[..., BaseModel | None]
BATCH_SIZES = range(1, 501)


class TaskDefinitionError(Exception):
    """A task module cannot be used as it is."""


@dataclass(frozen=True)
class TaskDefinition:
    """A registered task; calling it calls the plain function."""

    name: str
    function: TaskFunction
    payload: type[BaseModel]
    takes_context: bool
    queue: str | None = None
    max_retries: int | None = None
    retry_delay_seconds: float | None = None
    time_limit_seconds: int | None = None
    batch_size: int | None = None

    def __call__(self, *args: Any, **kwargs: Any) -> BaseModel | None:  # noqa: ANN401 - the function's own signature
        return self.function(*args, **kwargs)

    @property
    def summary(self) -> str:
        """The first line of the function's docstring."""
        return (inspect.getdoc(self.function) or "").partition("\n")[0]

    def run(self, session: WriteSession, payload: object, context: TaskContext) -> dict[str, Any] | None:
        """Validate the payload, call the function, and return its result as JSON-ready values."""
        arguments = [session, self.payload.model_validate(payload)]
        if self.takes_context:
            arguments.append(context)
        result = self.function(*arguments)
        return None if result is None else result.model_dump(mode="json")


def task(
    name: str,
    *,
    queue: str | None = None,
    max_retries: int | None = None,
    retry_delay_seconds: float | None = None,
    time_limit_seconds: int | None = None,
    batch_size: int | None = None,
) -> Callable[[TaskFunction], TaskDefinition]:
    """Register a function `(session: WriteSession, payload: Model[, context: TaskContext])` as a task.

    What is left out comes from the settings. Everything that the function writes through its
    session takes effect together with the task's success, exactly once.

    `batch_size` is for functions of milliseconds that use nothing but their session: up to so many
    tasks that wait behind each other are run one after the other in one transaction, on one session.

    Raises:
        TaskDefinitionError: the function's parameters are not as above.
    """
    if batch_size is not None and batch_size not in BATCH_SIZES:
        raise TaskDefinitionError(f"task {name!r}: a batch_size is {BATCH_SIZES[0]} to {BATCH_SIZES[-1]}")

    def register(function: TaskFunction) -> TaskDefinition:
        payload, takes_context = _read_signature(name, function)
        return TaskDefinition(
            name=name,
            function=function,
            payload=payload,
            takes_context=takes_context,
            queue=queue,
            max_retries=max_retries,
            retry_delay_seconds=retry_delay_seconds,
            time_limit_seconds=time_limit_seconds,
            batch_size=batch_size,
        )

    return register


def _read_signature(name: str, function: TaskFunction) -> tuple[type[BaseModel], bool]:
    hints = get_type_hints(function)
    kinds = [hints.get(parameter) for parameter in inspect.signature(function).parameters]
    match kinds:
        case [first, type() as payload, *rest] if (
            first is WriteSession and issubclass(payload, BaseModel) and rest in ([], [TaskContext])
        ):
            return payload, bool(rest)
    raise TaskDefinitionError(
        f"task {name!r}: declare it as def {function.__name__}(session: WriteSession, payload: YourModel), "
        "YourModel being a pydantic model, with context: TaskContext as an optional third parameter"
    )


class TaskRegistry:
    """The tasks of a process by name."""

    def __init__(self, definitions: Iterable[TaskDefinition]) -> None:
        self._definitions: dict[str, TaskDefinition] = {}
        for definition in definitions:
            if definition.name in self._definitions:
                raise TaskDefinitionError(f"two tasks are named {definition.name!r}; rename one of them")
            self._definitions[definition.name] = definition

    @classmethod
    def load(cls, modules: Iterable[str]) -> "TaskRegistry":
        """Import the modules and collect the tasks that they define.

        Raises:
            TaskDefinitionError: a module is missing, defines no task, or uses a taken name.
        """
        return cls(definition for module in modules for definition in _tasks_of(module))

    def get(self, name: str) -> TaskDefinition | None:
        """Return the task of that name, if there is one."""
        return self._definitions.get(name)

    def queues(self, default: str) -> list[str]:
        """Return the default queue and every queue that a task names."""
        return sorted({default, *(task.queue for task in self if task.queue)})

    def __iter__(self) -> Iterator[TaskDefinition]:
        return iter(self._definitions.values())


def _tasks_of(module_name: str) -> list[TaskDefinition]:
    try:
        module = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name and module_name.startswith(error.name):
            raise TaskDefinitionError(
                f"no module {module_name!r} as TASK_MODULES says: put its folder on PYTHONPATH"
            ) from error
        raise
    found = [value for value in vars(module).values() if isinstance(value, TaskDefinition)]
    if not found:
        raise TaskDefinitionError(f"TASK_MODULES names {module_name!r}, which defines no @task")
    return found
