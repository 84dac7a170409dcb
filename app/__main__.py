"""`python -m app`: serve one API replica until SIGTERM."""

import signal
import sys

import uvicorn

from app.logging import configure_logging
from app.main import create_app
from app.server import DrainingServer
from app.settings import load_settings

KEEP_ALIVE_SECONDS = 75
STARTUP_FAILED = 3


def main() -> None:
    """Serve; at SIGTERM no new requests are asked for, and open ones are finished."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format, process="api", replica=settings.replica_name)
    # uvicorn raises the signal once more after it has shut down in order; that is no reason to fail.
    signal.signal(signal.SIGTERM, lambda *_: None)
    app = create_app(settings)
    config = uvicorn.Config(
        app,
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        proxy_headers=True,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
    )
    server = DrainingServer(config, app.state.context.draining.set, settings.api_drain_seconds)
    server.run()
    if not server.started:
        sys.exit(STARTUP_FAILED)


if __name__ == "__main__":
    main()
