"""`python -m worker`: run tasks until told to end."""

import logging
import os
import signal
import sys
from contextlib import nullcontext


def main() -> int:
    """Run the worker; returns its exit code."""
    logging.captureWarnings(capture=True)
    # Until Celery's own handler is in place, there is nothing yet that would have to be finished.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # SIGTERM ends softly within a bounded time; read when Celery's pool is imported.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

    from prometheus_client import CollectorRegistry

    from app.logging import configure_logging
    from app.settings import load_settings
    from worker.process import WorkerProcess
    from worker.shared_metrics import shared_metrics

    settings = load_settings()
    name = settings.replica_name
    configure_logging(settings.log_level, settings.log_format, process="worker", replica=name)
    # Where nobody can ask for them, none are kept.
    shared = shared_metrics() if settings.worker_metrics_port else nullcontext(CollectorRegistry())
    with shared as registry:
        return WorkerProcess(settings, registry).run()


if __name__ == "__main__":
    sys.exit(main())
