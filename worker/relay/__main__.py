"""`python -m worker.relay`: relay until told to end."""

import sys

from prometheus_client import CollectorRegistry

from app.logging import configure_logging
from app.settings import load_settings
from worker.relay.process import RelayProcess


def main() -> int:
    """Run the relay; returns its exit code."""
    settings = load_settings()
    name = settings.replica_name
    configure_logging(settings.log_level, settings.log_format, process="relay", replica=name)
    RelayProcess(settings, CollectorRegistry()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
