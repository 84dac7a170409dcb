"""Conveyor or a peer, as a contest handles it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import redis

from bench.contest.programs import Program
from bench.usage import Usage

# Looks at the counters are not counted.
OWN_COMMANDS = ("cmdstat_info", "cmdstat_config|resetstat", "cmdstat_auth", "cmdstat_client|setinfo")
WORKER = "worker"


@dataclass(frozen=True)
class Contender:
    """How it is asked, where its rows are, how its workers start and which processes are its own."""

    name: str
    parallel: str
    port: int
    table: str
    queue: redis.Redis
    workers: Callable[[int], Sequence[Program]]
    serving: Callable[[], Mapping[str, Usage]]
    groups: Mapping[str, str]  # of processes, by the column in which their CPU time is counted

    def commands(self) -> int:
        """Count what its Redis has done."""
        return commands_of(self.queue)


def commands_of(queue: redis.Redis) -> int:
    """Count what a Redis has done since its start, the commands inside of scripts as well."""
    statistics = queue.info("commandstats")
    return sum(int(entry["calls"]) for name, entry in statistics.items() if name not in OWN_COMMANDS)
