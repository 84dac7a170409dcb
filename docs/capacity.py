"""What a rate of tasks needs: arithmetic on what one costs (`python -m bench --scenario costs`)."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from math import ceil

from docs.tables import table

SECONDS_PER_DAY = 86_400
MILLISECONDS = 1000
# A core that is busy for longer than this has no room for a burst, nor for what a lost neighbour leaves.
BUSY_SHARE = 0.6
RATES = (1_000, 10_000, 100_000)
LARGEST_SERVER_CORES = 64
UNITS = ("B", "kB", "MB", "GB", "TB")


@dataclass(frozen=True)
class Costs:
    """What one task takes, from its request to its end."""

    api_ms: float
    worker_ms: float
    primary_ms: float
    replica_ms: float
    redis_ms: float
    redis_commands: float
    transactions: float  # on the primary
    log_bytes: float  # of the binary log, which every replica receives
    stored_bytes: float  # in the tables and their indexes


COSTS = Costs(
    api_ms=1.6,
    worker_ms=0.55,
    primary_ms=0.67,
    replica_ms=0.5,
    redis_ms=0.06,
    redis_commands=4.4,
    transactions=0.27,
    log_bytes=1_680,
    stored_bytes=2_110,
)


def cores(cpu_ms: float, tasks_per_second: float) -> int:
    """Return how many cores a steady rate needs, with room to spare."""
    return ceil(tasks_per_second * cpu_ms / MILLISECONDS / BUSY_SHARE)


def highest_rate(cpu_ms: float, available_cores: int) -> float:
    """Return the tasks per second that leave so many cores room to spare."""
    return available_cores * BUSY_SHARE * MILLISECONDS / cpu_ms


def needs_table(costs: Costs = COSTS) -> str:
    """Return what each rate needs."""
    rows: dict[str, Callable[[int], str]] = {
        "cores for the API": lambda rate: f"{cores(costs.api_ms, rate):,}",
        "cores for the workers": lambda rate: f"{cores(costs.worker_ms, rate):,}",
        "cores of the primary": lambda rate: f"{cores(costs.primary_ms, rate):,}",
        "cores of each replica": lambda rate: f"{cores(costs.replica_ms, rate):,}",
        "of Redis' one core": lambda rate: f"{rate * costs.redis_ms / MILLISECONDS:.0%}",
        "commands of Redis per second": lambda rate: f"{rate * costs.redis_commands:,.0f}",
        "transactions per second on the primary": lambda rate: f"{rate * costs.transactions:,.0f}",
        "binary log per second": lambda rate: size(rate * costs.log_bytes),
        "new rows per day": lambda rate: size(rate * costs.stored_bytes * SECONDS_PER_DAY),
    }
    head = ("Steady tasks per second", *(f"{rate:,}" for rate in RATES))
    return table(head, ((name, *(cell(rate) for rate in RATES)) for name, cell in rows.items()))


def ends_table(costs: Costs = COSTS) -> str:
    """Return where that of which there is one ends."""
    return table(("What there is one of", "Ends at tasks per second"), _ends(costs))


def _ends(costs: Costs) -> Iterator[tuple[str, str]]:
    yield "Redis: one thread", f"{highest_rate(costs.redis_ms, 1):,.0f}"
    for available in (8, 16, LARGEST_SERVER_CORES):
        yield f"the primary: {available} cores", f"{highest_rate(costs.primary_ms, available):,.0f}"


def size(count: float) -> str:
    """Return bytes in the unit that people use."""
    for unit in UNITS[:-1]:
        if count < MILLISECONDS:
            return f"{count:.3g} {unit}"
        count /= MILLISECONDS
    return f"{count:.3g} {UNITS[-1]}"
