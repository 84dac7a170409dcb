"""What a part of the stack is: how it starts, what it waits for and how its readiness shows."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from stack.probes import Probe


@dataclass(frozen=True)
class Service:
    name: str
    argv: tuple[str, ...]
    ready: Probe
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds passwords
    needs: tuple[str, ...] = ()  # has to be ready before this starts, and stops after it
    uses: tuple[str, ...] = ()  # may start together with this, and stops after it
    stale_files: tuple[Path, ...] = ()  # say something about a process that has gone
    once: bool = False
    deadline_seconds: float = 60
    grace_seconds: float = 10

    @property
    def kind(self) -> str:
        """Return the name without its number: `worker` for `worker-1`."""
        stem, _, number = self.name.rpartition("-")
        return stem if number.isdecimal() else self.name

    @property
    def outlived_by(self) -> tuple[str, ...]:
        return self.needs + self.uses


class TopologyError(Exception):
    """The services cannot be put into an order."""


def in_start_order(services: Iterable[Service]) -> list[Service]:
    """Sort so that each service follows what it needs."""
    by_name = {service.name: service for service in services}
    for service in by_name.values():
        if unknown := [name for name in service.outlived_by if name not in by_name]:
            raise TopologyError(f"{service.name} needs {', '.join(unknown)}, which no service is called")
    try:
        order = TopologicalSorter({name: by_name[name].outlived_by for name in by_name}).static_order()
        return [by_name[name] for name in order]
    except CycleError as error:
        raise TopologyError(f"services need each other in a circle: {' → '.join(error.args[1])}") from error


def chosen(services: Sequence[Service], parts: Collection[str]) -> list[Service]:
    """Keep the parts named (`worker` or `worker-1`) and all that they rest on; no names keep everything."""
    by_name = {service.name: service for service in services}
    open_names = [service.name for service in services if {service.name, service.kind} & set(parts)]
    if unknown := set(parts) - {name for service in services for name in (service.name, service.kind)}:
        raise TopologyError(
            f"no part is called {' or '.join(sorted(unknown))}; there are: {', '.join(by_name)}"
        )
    kept: set[str] = set()
    while open_names:
        name = open_names.pop()
        if name not in kept:
            kept.add(name)
            open_names += by_name[name].outlived_by
    return [service for service in services if service.name in kept or not parts]
