"""Tasks for the pictures: quick ones, slow ones, and some that fail."""

import random
import time

from pydantic import BaseModel, Field

from app.database.sessions import WriteSession
from app.tasks.context import PermanentTaskError, TaskContext
from app.tasks.registry import task

FAILS, NEVER_WORKS = 0.06, 0.01


class Report(BaseModel):
    """How much there is to be counted."""

    pages: int = Field(ge=1, le=100)


class Letter(BaseModel):
    """Whom to write to."""

    reader: int


@task("render_report", queue="reports")
def render_report(session: WriteSession, payload: Report, context: TaskContext) -> None:
    """Take a while, as printing does."""
    del session, context
    time.sleep(payload.pages * random.uniform(0.02, 0.04))


@task("send_newsletter", retry_delay_seconds=5)
def send_newsletter(session: WriteSession, payload: Letter, context: TaskContext) -> None:
    """Fail now and then, as mail servers do."""
    del session, payload, context
    time.sleep(random.uniform(0.01, 0.05))
    luck = random.random()
    if luck < NEVER_WORKS:
        raise PermanentTaskError("the address does not exist")
    if luck < FAILS:
        raise ConnectionError("the mail server hung up")
