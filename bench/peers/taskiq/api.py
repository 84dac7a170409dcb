from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI
from tasks import broker, create_product


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    await broker.startup()
    yield
    await broker.shutdown()


app = FastAPI(lifespan=lifespan)


@app.post("/api/users/{user_id}/create-product", status_code=HTTPStatus.ACCEPTED)
async def create(user_id: int) -> dict[str, str]:
    task = await create_product.kiq(user_id)
    return {"task_id": task.task_id}


@app.get("/healthz")
async def health() -> None:
    pass
