"""arq: a job stays in the queue until it has ended; no results are kept."""

from typing import Any

import pooled
from arq.connections import RedisSettings
from settings import QUEUE_URL, RECOVERY_SECONDS

REDIS = RedisSettings.from_dsn(QUEUE_URL)


async def connect(ctx: dict[str, Any]) -> None:
    ctx["pool"] = await pooled.create_pool()


async def disconnect(ctx: dict[str, Any]) -> None:
    ctx["pool"].close()
    await ctx["pool"].wait_closed()


async def create_product(ctx: dict[str, Any], user_id: int) -> None:
    await pooled.create_product(ctx["pool"], user_id, ctx["job_id"])


class WorkerSettings:
    functions = (create_product,)
    redis_settings = REDIS
    on_startup = connect
    on_shutdown = disconnect
    keep_result = 0
    job_timeout = RECOVERY_SECONDS or 300  # others may take a job 10 s after that
