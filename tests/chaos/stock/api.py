"""An API as the textbooks build it: it hands the task to Celery and answers 202."""

import os
from http import HTTPStatus
from typing import Annotated, Any
from uuid import uuid4

import uvicorn
from fastapi import FastAPI, Header, HTTPException
from kombu.exceptions import OperationalError

from tests.chaos.stock.tasks import NAME, create_celery


def create_app() -> FastAPI:
    app = FastAPI()
    task = create_celery().tasks[NAME]

    @app.get("/readyz")
    def ready() -> dict[str, str]:
        return {"status": "ok"}

    @app.post("/api/users/{user_id}/create-product", status_code=HTTPStatus.ACCEPTED)
    def create_product(user_id: int, x_request_id: Annotated[str, Header()] = "") -> dict[str, Any]:
        try:
            sent = task.delay(user_id, x_request_id or uuid4().hex)
        except OperationalError as error:
            raise HTTPException(HTTPStatus.SERVICE_UNAVAILABLE) from error
        return {"task_id": sent.id}

    return app


if __name__ == "__main__":
    port = int(os.environ["API_PORT"])
    uvicorn.run(create_app(), host=os.environ["API_HOST"], port=port, log_level="warning")
