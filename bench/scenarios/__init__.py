"""What is measured, in the order in which it runs."""

from collections.abc import Callable, Mapping, Sequence

from bench.effort import Effort
from bench.results import Run
from bench.scenarios import (
    accept,
    bulk,
    costs,
    end_to_end,
    extras,
    footprint,
    growth,
    idle_latency,
    kills,
    memory,
    peers,
    rest,
    start,
    steady,
    transport,
    workers,
)
from bench.system import System

SCENARIOS: Mapping[str, Callable[[System, Effort], Sequence[Run]]] = {
    "rest": rest.measure,
    "latency": idle_latency.measure,
    "accept": accept.measure,
    "steady": steady.measure,
    "bulk": bulk.measure,
    "costs": costs.measure,
    "throughput": end_to_end.measure,
    "workers": workers.measure,
    "memory": memory.measure,
    "transport": transport.measure,
    "extras": extras.measure,
    "peers": peers.measure,
    "kills": kills.measure,
    "start": start.measure,
    "footprint": footprint.measure,
    "growth": growth.measure,
}
# They take long, and the last one leaves its rows behind: only where they are asked for.
LONG = ("footprint", "growth")
