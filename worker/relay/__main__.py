"""`python -m worker.relay`: relay until told to end."""

import sys

from prometheus_client import CollectorRegistry

from app.settings import load_settings
from structured_logging.configuration import begin
from worker.relay.process import RelayProcess


def main() -> int:
    """Run the relay; returns its exit code."""
    settings = begin("relay", load_settings, replica="replica_name")
    RelayProcess(settings, CollectorRegistry()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
