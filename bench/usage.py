"""CPU time: who used how much of the machine between two moments."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from bench.failure import BenchError


@dataclass(frozen=True)
class Usage:
    """What a process, or the children of one, have used since their start."""

    group: str
    pid: int
    processes: int
    cpu_seconds: float
    memory_bytes: int = 0


@dataclass(frozen=True)
class Snapshot:
    """The machine and every process of the system at one moment; seconds count up from some start."""

    at: float
    busy_seconds: float
    disk_wait_seconds: float
    usages: Mapping[str, Usage]


@dataclass(frozen=True)
class Load:
    """What happened on the machine between two snapshots."""

    seconds: float
    cores: int
    tasks: int
    busy_seconds: float
    disk_wait_seconds: float
    usages: Mapping[str, Usage] = field(default_factory=dict)

    @property
    def capacity_seconds(self) -> float:
        return self.seconds * self.cores

    @property
    def own_seconds(self) -> float:
        return sum(usage.cpu_seconds for usage in self.usages.values())

    @property
    def other_seconds(self) -> float:
        """Return what the machine did besides; the kernel's counters are coarse, so never below 0."""
        return max(self.busy_seconds - self.own_seconds, 0.0)

    @property
    def per_thousand_tasks(self) -> float:
        """Return the price of a task; a run without tasks has none."""
        return self.own_seconds / self.tasks * 1000 if self.tasks else float("nan")

    def by_group(self) -> dict[str, float]:
        groups: dict[str, float] = {}
        for usage in self.usages.values():
            groups[usage.group] = groups.get(usage.group, 0.0) + usage.cpu_seconds
        return groups


def load_between(
    before: Snapshot, after: Snapshot, *, cores: int, tasks: int, others: Mapping[str, Usage] | None = None
) -> Load:
    """Return the load of the system's processes and of `others`, whose seconds are the run's already.

    Raises:
        BenchError: a process was replaced in between, so that the figures mean nothing.
    """
    usages = {name: _between(name, before.usages.get(name), usage) for name, usage in after.usages.items()}
    return Load(
        seconds=after.at - before.at,
        cores=cores,
        tasks=tasks,
        busy_seconds=after.busy_seconds - before.busy_seconds,
        disk_wait_seconds=after.disk_wait_seconds - before.disk_wait_seconds,
        usages={**usages, **(others or {})},
    )


def _between(name: str, before: Usage | None, after: Usage) -> Usage:
    if before is None or before.pid != after.pid:
        raise BenchError(f"{name} was restarted during a run: look for its end in the stack's log, run again")
    seconds = after.cpu_seconds - before.cpu_seconds
    return Usage(after.group, after.pid, after.processes, max(seconds, 0.0), after.memory_bytes)
