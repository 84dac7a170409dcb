from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from arq import create_pool
from fastapi import FastAPI
from tasks import REDIS


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    app.state.queue = await create_pool(REDIS)
    yield
    await app.state.queue.aclose()


app = FastAPI(lifespan=lifespan)


@app.post("/api/users/{user_id}/create-product", status_code=HTTPStatus.ACCEPTED)
async def create(user_id: int) -> dict[str, str]:
    job = await app.state.queue.enqueue_job("create_product", user_id)
    return {"task_id": job.job_id}


@app.get("/healthz")
async def health() -> None:
    pass
