"""How long each scenario runs."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    rest_seconds: float
    latency_tasks: int
    connections: tuple[int, ...]
    accept_seconds: float
    bulk_tasks: int
    bulk_turns: int
    cost_tasks: int
    waiting_tasks: int
    worker_counts: tuple[int, ...]
    worker_turns: int
    memory_tasks: int
    transport_tasks: int
    transport_turns: int
    extras_tasks: int
    extras_turns: int
    contest_tasks: int
    contest_turns: int
    contest_processes: tuple[int, ...]
    noop_tasks: int
    kills: int
    kill_tasks: int
    starts: int
    system_starts: int
    rows: int
    short_queue: int
    long_queue: int
    growth_seconds: float
    footprint_tasks: int


FULL = Effort(
    rest_seconds=10,
    latency_tasks=300,
    connections=(8, 32),
    accept_seconds=10,
    bulk_tasks=5000,
    bulk_turns=5,
    cost_tasks=5000,
    waiting_tasks=20_000,
    worker_counts=(1, 2, 4, 8),
    worker_turns=3,
    memory_tasks=1000,
    transport_tasks=5000,
    transport_turns=4,
    extras_tasks=3000,
    extras_turns=10,
    contest_tasks=2000,
    contest_turns=5,
    contest_processes=(1, 2),
    noop_tasks=4000,
    kills=8,
    kill_tasks=1500,
    starts=5,
    system_starts=3,
    rows=5_000_000,
    short_queue=10,
    long_queue=100_000,
    growth_seconds=10,
    footprint_tasks=200_000,
)
QUICK = Effort(
    rest_seconds=2,
    latency_tasks=30,
    connections=(8,),
    accept_seconds=2,
    bulk_tasks=300,
    bulk_turns=1,
    cost_tasks=150,
    waiting_tasks=150,
    worker_counts=(1, 4),
    worker_turns=1,
    memory_tasks=100,
    transport_tasks=300,
    transport_turns=1,
    extras_tasks=60,
    extras_turns=1,
    contest_tasks=300,
    contest_turns=1,
    contest_processes=(1,),
    noop_tasks=300,
    kills=2,
    kill_tasks=400,
    starts=1,
    system_starts=1,
    rows=20_000,
    short_queue=10,
    long_queue=2_000,
    growth_seconds=2,
    footprint_tasks=300,
)
