"""What a part of the stack is: how it starts, what it waits for and how its readiness shows."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from stack.probes import Probe


@dataclass(frozen=True)
class Service:
    name: str
    argv: tuple[str, ...]
    ready: Probe
    env: Mapping[str, str] = field(default_factory=dict, repr=False)  # holds passwords
    needs: tuple[str, ...] = ()
    once: bool = False
    deadline_seconds: float = 60
    grace_seconds: float = 10

    @property
    def kind(self) -> str:
        """Return the name without its number: `worker` for `worker-1`."""
        stem, _, number = self.name.rpartition("-")
        return stem if number.isdecimal() else self.name


class TopologyError(Exception):
    """The services cannot be put into an order."""


def in_start_order(services: Iterable[Service]) -> list[Service]:
    """Sort so that each service follows what it needs."""
    by_name = {service.name: service for service in services}
    for service in by_name.values():
        if unknown := [name for name in service.needs if name not in by_name]:
            raise TopologyError(f"{service.name} needs {', '.join(unknown)}, which no service is called")
    try:
        order = TopologicalSorter({name: by_name[name].needs for name in by_name}).static_order()
        return [by_name[name] for name in order]
    except CycleError as error:
        raise TopologyError(f"services need each other in a circle: {' → '.join(error.args[1])}") from error
