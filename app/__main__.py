"""`python -m app`: serve one API replica until SIGTERM."""

import signal

import uvicorn

from app.logging import configure_logging
from app.main import create_app
from app.settings import load_settings

KEEP_ALIVE_SECONDS = 75


def main() -> None:
    """Serve; at SIGTERM open requests are finished first."""
    settings = load_settings()
    configure_logging(settings.log_level, settings.log_format, process="api", replica=settings.replica_name)
    # uvicorn raises the signal once more after it has shut down in order; that is no reason to fail.
    signal.signal(signal.SIGTERM, lambda *_: None)
    uvicorn.run(
        create_app(settings),
        host=settings.api_host,
        port=settings.api_port,
        access_log=False,
        log_config=None,
        proxy_headers=True,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=settings.shutdown_grace_seconds,
    )


if __name__ == "__main__":
    main()
