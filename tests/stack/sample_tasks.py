"""Tasks that misbehave in every way the worker has to survive; each start is noted in Redis."""

import os
import signal
import time
from typing import Literal

from billiard.exceptions import SoftTimeLimitExceeded
from pydantic import BaseModel
from sqlalchemy import text

from app.database.sessions import WriteSession
from app.models import Product
from app.products.repository import ProductRepository
from app.tasks.context import PermanentTaskError, TaskContext
from app.tasks.registry import task


class Nothing(BaseModel):
    """No arguments."""


class Slowness(BaseModel):
    """A product that takes its time."""

    user_id: int
    seconds: float
    checkpoints: bool = False


class Message(BaseModel):
    """What to say when failing."""

    text: str


class Made(BaseModel):
    """The product's id."""

    product_id: int


def starts_key(task_id: str) -> str:
    return f"starts:{task_id}"


def note_start(context: TaskContext) -> None:
    context.redis.rpush(starts_key(context.task_id), os.getpid())
    context.redis.expire(starts_key(context.task_id), 600)


@task("slow_product")
def slow_product(session: WriteSession, payload: Slowness, context: TaskContext) -> Made:
    """Insert a product, then take a while before the commit."""
    note_start(context)
    product = Product(
        user_id=payload.user_id,
        task_id=context.task_id,
        name="slow",
        description="",
        price=1,
        quantity=1,
        category="Toys",
    )
    ProductRepository(session).add(product)
    deadline = time.monotonic() + payload.seconds
    while time.monotonic() < deadline:
        time.sleep(0.05)
        if payload.checkpoints:
            context.raise_if_cancelled()
    return Made(product_id=product.id)


class Quickness(BaseModel):
    """A product that is made at once, and what happens besides."""

    user_id: int
    mishap: Literal["none", "raise", "die", "wait", "lose_connection", "roll_back"] = "none"


@task("quick_product", batch_size=50)
def quick_product(session: WriteSession, payload: Quickness, context: TaskContext) -> Made:
    """Insert a product together with others; what befalls the database does so the first time alone."""
    note_start(context)
    is_first = context.redis.llen(starts_key(context.task_id)) == 1
    match payload.mishap:
        case "die":
            os.kill(os.getpid(), signal.SIGKILL)
        case "wait":
            time.sleep(1.5)
        case "lose_connection" if is_first:
            session.execute(text("KILL CONNECTION_ID()"))
        case "roll_back" if is_first:
            session.execute(text("ROLLBACK"))
    product = Product(
        user_id=payload.user_id,
        task_id=context.task_id,
        name="quick",
        description="",
        price=1,
        quantity=1,
        category="Toys",
    )
    ProductRepository(session).add(product)
    if payload.mishap == "raise":
        raise ValueError("no luck")
    return Made(product_id=product.id)


@task("kill_own_process")
def kill_own_process(session: WriteSession, payload: Nothing, context: TaskContext) -> None:
    """Die as by the kernel's out-of-memory killer."""
    del session, payload
    note_start(context)
    os.kill(os.getpid(), signal.SIGKILL)


@task("kill_own_worker")
def kill_own_worker(session: WriteSession, payload: Nothing, context: TaskContext) -> None:
    """Take the whole worker along."""
    del session, payload
    note_start(context)
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(30)


@task("fail")
def fail(session: WriteSession, payload: Message, context: TaskContext) -> None:
    """Raise an ordinary error."""
    del session
    note_start(context)
    raise ValueError(payload.text)


@task("fail_for_good")
def fail_for_good(session: WriteSession, payload: Message, context: TaskContext) -> None:
    """Raise an error that no retry cures."""
    del session
    note_start(context)
    raise PermanentTaskError(payload.text)


@task("overrun", time_limit_seconds=3)
def overrun(session: WriteSession, payload: Nothing, context: TaskContext) -> None:
    """Run into the soft limit."""
    del session, payload
    note_start(context)
    time.sleep(30)


@task("overrun_stubbornly", time_limit_seconds=3)
def overrun_stubbornly(session: WriteSession, payload: Nothing, context: TaskContext) -> None:
    """Ignore the soft limit and run into the hard one."""
    del session, payload
    note_start(context)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            time.sleep(30)
        except SoftTimeLimitExceeded:
            continue


@task("elsewhere", queue="elsewhere")
def elsewhere(session: WriteSession, payload: Nothing, context: TaskContext) -> None:
    """Wait in a queue of its own."""
    del session, payload
    note_start(context)
