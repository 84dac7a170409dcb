from http import HTTPStatus

from fastapi import FastAPI
from tasks import create_product

app = FastAPI()


@app.post("/api/users/{user_id}/create-product", status_code=HTTPStatus.ACCEPTED)
def create(user_id: int) -> dict[str, str]:
    return {"task_id": create_product.send(user_id).message_id}


@app.get("/healthz")
def health() -> None:
    pass
