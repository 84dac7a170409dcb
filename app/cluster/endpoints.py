"""/api/worker, and the probes of this replica."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from pydantic import BaseModel, Field

from app.cluster.schemas import ClusterStatus
from app.dependencies import Context
from app.problems import problem_responses
from app.tasks.acceptance import Accept
from app.tasks.schemas import TaskAccepted

router = APIRouter()
metrics_router = APIRouter()

TEST_WORKER = "test_worker_connection"


class Readiness(BaseModel):
    """What this replica found when it looked at the parts it talks to."""

    ready: bool
    checks: dict[str, str] = Field(examples=[{"database": "ok", "redis": "ok"}])


@router.post(
    "/api/worker/test",
    tags=["worker"],
    status_code=HTTPStatus.ACCEPTED,
    responses=problem_responses(HTTPStatus.SERVICE_UNAVAILABLE),
)
async def test_worker(acceptance: Accept) -> TaskAccepted:
    """Accept a task by which a worker reports how it reaches database and queue."""
    return await acceptance.accept(TEST_WORKER, {})


@router.get("/api/worker/status", tags=["worker"])
def worker_status(context: Context) -> ClusterStatus:
    """Show workers, queues, Redis and MySQL; `degraded` names what is wrong."""
    return context.cluster.status()


@router.get("/healthz", tags=["probes"])
async def healthz() -> dict[str, str]:
    """Say that the process answers; nothing else is looked at."""
    return {"status": "ok"}


@router.get(
    "/readyz",
    tags=["probes"],
    responses={
        503: {"model": Readiness, "description": "Send no requests here."},
        404: {"model": Readiness, "description": "Send no more requests here: this replica is about to end."},
    },
)
def readyz(context: Context, response: Response) -> Readiness:
    """Say whether this replica can answer: it must be able to read; without Redis it still accepts."""
    if context.draining.is_set():
        # the answer by which HAProxy lets open requests end; for other checks it is a failure like any
        response.status_code = HTTPStatus.NOT_FOUND
        return Readiness(ready=False, checks={"process": "ends soon"})
    answers = context.cluster.readiness()
    ready = answers["database"].error is None
    if not ready:
        response.status_code = HTTPStatus.SERVICE_UNAVAILABLE
    return Readiness(ready=ready, checks={name: answer.error or "ok" for name, answer in answers.items()})


@metrics_router.get("/metrics", include_in_schema=False)
def metrics(context: Context) -> Response:
    """Show this process's metrics to Prometheus."""
    return Response(generate_latest(context.metrics_registry), media_type=CONTENT_TYPE_LATEST)
