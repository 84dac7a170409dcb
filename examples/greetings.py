"""A task of your own in one file: PYTHONPATH says where it is, TASK_MODULES=greetings what it is called."""

from pydantic import BaseModel, Field

from app.database.sessions import WriteSession
from app.models import User
from app.tasks.context import PermanentTaskError, TaskContext
from app.tasks.registry import task


class Greeting(BaseModel):
    """Whom to greet, and how; the API refuses any other payload with 422."""

    user_id: int = Field(ge=1, examples=[1])
    words: str = Field("Hello", min_length=1, max_length=40)


class Greeted(BaseModel):
    """What `GET /api/tasks/{task_id}` shows as the result."""

    text: str
    worker: str


@task("greet_user", max_retries=1, retry_delay_seconds=5, time_limit_seconds=30)
def greet_user(session: WriteSession, payload: Greeting, context: TaskContext) -> Greeted:
    """Greet a user by name."""
    user = session.get(User, payload.user_id)
    if user is None:
        # Any other exception would be retried; this one fails the task at once.
        raise PermanentTaskError(f"there is no user {payload.user_id}")
    return Greeted(text=f"{payload.words}, {user.name}!", worker=context.worker)
