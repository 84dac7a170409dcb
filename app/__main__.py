"""`python -m app`: serve one API replica until SIGTERM."""

import signal
import sys

import uvicorn
from prometheus_client import disable_created_metrics

from app.garbage import pass_over_what_is_loaded
from app.main import create_app
from app.server import DrainingServer
from app.settings import load_settings
from structured_logging.configuration import begin

KEEP_ALIVE_SECONDS = 75
STARTUP_FAILED = 3


def main() -> None:
    """Serve; at SIGTERM no new requests are asked for, and open ones are finished."""
    settings = begin("api", load_settings, replica="replica_name")
    # uvicorn raises the signal once more after it has shut down in order; that is no reason to fail.
    signal.signal(signal.SIGTERM, lambda *_: None)
    # They are a second series for each first one, and nobody asks for them.
    disable_created_metrics()  # type: ignore[no-untyped-call] # it only sets a switch
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        loop="uvloop",
        http="httptools",
        access_log=False,
        log_config=None,
        proxy_headers=True,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
    )
    server = DrainingServer(config, app.state.context.draining.set, settings.api_drain_seconds)
    pass_over_what_is_loaded()
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


if __name__ == "__main__":
    main()
