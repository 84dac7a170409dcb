"""streaQ as its documentation begins: one worker object for both sides, no results are kept."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiomysql
import pooled
from settings import QUEUE_URL, RECOVERY_SECONDS
from streaq import Worker


@asynccontextmanager
async def lifespan() -> AsyncIterator[aiomysql.Pool]:
    async with pooled.create_pool() as pool:
        yield pool


recovery = {"idle_timeout": RECOVERY_SECONDS} if RECOVERY_SECONDS else {}
worker = Worker(redis_url=QUEUE_URL, lifespan=lifespan, **recovery)


@worker.task(ttl=0, silent=True)
async def create_product(user_id: int) -> None:
    await pooled.create_product(worker.context, user_id, create_product.context.task_id)
