"""Taskiq with the broker of taskiq-redis that acknowledges: Redis streams."""

from typing import Annotated

import pooled
from settings import QUEUE_URL, RECOVERY_SECONDS
from taskiq import Context, SimpleRetryMiddleware, TaskiqDepends, TaskiqEvents, TaskiqState
from taskiq_redis import RedisStreamBroker

recovery = {"idle_timeout": RECOVERY_SECONDS * 1000} if RECOVERY_SECONDS else {}
# the lock's time-out: a worker that is killed while it holds the lock would keep it for ever
broker = RedisStreamBroker(QUEUE_URL, unacknowledged_lock_timeout=10, **recovery).with_middlewares(
    SimpleRetryMiddleware(default_retry_count=3)
)


@broker.on_event(TaskiqEvents.WORKER_STARTUP)
async def connect(state: TaskiqState) -> None:
    state.pool = await pooled.create_pool()


@broker.on_event(TaskiqEvents.WORKER_SHUTDOWN)
async def disconnect(state: TaskiqState) -> None:
    state.pool.close()
    await state.pool.wait_closed()


@broker.task(retry_on_error=True)
async def create_product(user_id: int, context: Annotated[Context, TaskiqDepends()]) -> None:
    await pooled.create_product(context.state.pool, user_id, context.message.task_id)
