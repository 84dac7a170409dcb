from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from http import HTTPStatus

from fastapi import FastAPI
from tasks import create_product, worker


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    async with worker:
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/api/users/{user_id}/create-product", status_code=HTTPStatus.ACCEPTED)
async def create(user_id: int) -> dict[str, str]:
    task = await create_product.enqueue(user_id)
    return {"task_id": task.id}


@app.get("/healthz")
async def health() -> None:
    pass
