"""`create_app` builds the API; `python -m app` serves it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from fastapi import Depends, FastAPI
from fastapi_offline import FastAPIOffline
from starlette.middleware.body_limit import RequestBodyLimitMiddleware

from app.cluster.endpoints import metrics_router
from app.cluster.endpoints import router as cluster
from app.context import ApiContext
from app.dashboard.installation import install_dashboard
from app.middleware import UNRECORDED, RequestMiddleware
from app.monitoring import metrics_served_on
from app.openapi import install_openapi
from app.operations.endpoints import router as operations
from app.problems import install_problem_handlers
from app.products.endpoints import router as products
from app.requests.endpoints import router as requests
from app.same_origin import require_same_origin
from app.settings import Settings
from app.tasks.endpoints import router as tasks
from app.users.endpoints import router as users
from app.version import VERSION

DESCRIPTION = """Accepts work and does it exactly once.

A `202` is a promise: the task is in the ledger, and its effect, its log row and its result will appear
once, whatever dies in between. Follow it at the `Location` of the answer.
"""


def create_app(settings: Settings) -> FastAPI:
    """Build the API; it connects to nothing before its lifespan begins."""
    context = ApiContext.build(settings)

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        address = (settings.metrics_host, settings.api_metrics_port)
        with metrics_served_on(address, context.metrics_registry):
            context.start()
            yield
            context.stop()

    app = FastAPIOffline(
        title="Conveyor",
        version=VERSION,
        description=DESCRIPTION,
        lifespan=lifespan,
        separate_input_output_schemas=False,
        redoc_url=None,
        static_url="/static/openapi",
        telemetry=context.tracing.http(lambda scope: scope["path"].startswith(UNRECORDED)),
    )
    app.state.context = context
    # Inside the other, which refuses a declared length with a problem document; this one counts chunks.
    app.add_middleware(RequestBodyLimitMiddleware, max_body_size=settings.max_body_bytes)
    app.add_middleware(RequestMiddleware, context=context)
    install_problem_handlers(app)
    install_openapi(app, context.registry)
    for router in (users, products, tasks, requests, cluster, operations):
        app.include_router(router, dependencies=[Depends(require_same_origin)])
    if not settings.api_metrics_port:
        app.include_router(metrics_router)
    install_dashboard(app, settings)
    return app
