"""`python -m worker`: run tasks until told to end."""

import os
import signal
import sys
from contextlib import nullcontext


def main() -> int:
    """Run the worker; returns its exit code."""
    # Until Celery's own handler is in place, there is nothing yet that would have to be finished.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    # SIGTERM ends softly within a bounded time; read when Celery's pool is imported.
    os.environ.setdefault("REMAP_SIGTERM", "SIGQUIT")

    from app.settings import load_settings
    from structured_logging.configuration import begin

    settings = begin("worker", load_settings, replica="replica_name")

    from prometheus_client import CollectorRegistry

    from worker.process import WorkerProcess
    from worker.shared_metrics import shared_metrics

    # Where nobody can ask for them, none are kept.
    shared = shared_metrics() if settings.worker_metrics_port else nullcontext(CollectorRegistry())
    with shared as registry:
        return WorkerProcess(settings, registry).run()


if __name__ == "__main__":
    sys.exit(main())
