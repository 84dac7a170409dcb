"""`python -m mysql_agent`: the agent of one member, until SIGTERM."""

import signal
import time
from http import HTTPStatus
from threading import Event

import structlog
from prometheus_client import disable_created_metrics

from mysql_agent.assembly import build_environment, build_loop, build_renewal
from mysql_agent.endpoints import Endpoints
from mysql_agent.metrics import CONTENT_TYPE, Metrics
from mysql_agent.report import Limits, Response, respond
from mysql_agent.settings import AgentSettings, load
from structured_logging.configuration import begin

log = structlog.get_logger(__name__)


def main() -> None:
    settings = begin("mysql_agent", lambda: load(AgentSettings), member="name")
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    # They are a second series for each first one, and nobody asks for them.
    disable_created_metrics()  # type: ignore[no-untyped-call] # it only sets a switch
    metrics = Metrics()
    environment = build_environment(settings, metrics)
    loop = build_loop(settings, metrics, environment, stop)
    limits = Limits(
        settings.stale_seconds,
        settings.stale_seconds + 2 * settings.start_timeout_seconds,
        settings.max_replica_queue,
    )

    def route(path: str) -> Response:
        if path == "/metrics":
            return Response(HTTPStatus.OK, metrics.text(), CONTENT_TYPE)
        return respond(path, loop.report, time.monotonic(), limits)

    endpoints = Endpoints(settings.http_host, settings.http_port, route)
    endpoints.start()
    build_renewal(settings, metrics, stop).start()
    if environment.companion:
        environment.companion.start()
    log.info("started", port=endpoints.port, members=[member.name for member in settings.members])
    try:
        loop.run()
    finally:
        endpoints.close()
        if environment.companion:
            environment.companion.close()
    log.info("stopped")


if __name__ == "__main__":
    main()
