"""`python -m worker.relay`: relay until told to end."""

import sys

from prometheus_client import CollectorRegistry, disable_created_metrics

from app.settings import load_settings
from structured_logging.configuration import begin
from worker.relay.process import RelayProcess


def main() -> int:
    """Run the relay; returns its exit code."""
    settings = begin("relay", load_settings, replica="replica_name")
    # They are a second series for each first one, and nobody asks for them.
    disable_created_metrics()  # type: ignore[no-untyped-call] # it only sets a switch
    RelayProcess(settings, CollectorRegistry()).run()
    return 0


if __name__ == "__main__":
    sys.exit(main())
