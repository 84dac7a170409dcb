"""`python -m mysql_agent`: the agent of one member, until SIGTERM."""

import signal
import time
from functools import partial
from http import HTTPStatus
from threading import Event

import structlog

from mysql_agent import logs
from mysql_agent.act import Actor, Credentials
from mysql_agent.connect import Server
from mysql_agent.endpoints import Endpoints
from mysql_agent.lock import FileLock
from mysql_agent.loop import Loop, Pace
from mysql_agent.metrics import CONTENT_TYPE, Metrics
from mysql_agent.observe import Observer, ask
from mysql_agent.report import Limits, Response, respond
from mysql_agent.settings import AgentSettings, load

log = structlog.get_logger()


def build_loop(settings: AgentSettings, metrics: Metrics, stop: Event) -> Loop:
    password = settings.password.get_secret_value()
    servers = {
        member.name: Server(
            settings.admin_address if member == settings.own else member.address,
            settings.user,
            password,
            settings.query_timeout_seconds,
        )
        for member in settings.members
    }
    observer = Observer(
        settings.own,
        settings.peers,
        {name: partial(ask, server) for name, server in servers.items()},
        deadline_seconds=3 * settings.query_timeout_seconds,
    )
    actor = Actor(
        servers[settings.name],
        Credentials(settings.recovery_user, settings.recovery_password.get_secret_value()),
        FileLock(settings.lock_file),
        observer.observe,
        settings.start_timeout_seconds,
    )
    pace = Pace(settings.interval_seconds, settings.busy_interval_seconds, settings.retry_seconds)
    return Loop(observer.observe, actor, metrics, pace, stop)


def main() -> None:
    settings = load(AgentSettings)
    logs.configure(settings.log_level, settings.log_format, process="mysql_agent", member=settings.name)
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    metrics = Metrics()
    loop = build_loop(settings, metrics, stop)
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
    log.info("started", port=endpoints.port, members=[member.name for member in settings.members])
    try:
        loop.run()
    finally:
        endpoints.close()
    log.info("stopped")


if __name__ == "__main__":
    main()
