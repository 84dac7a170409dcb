"""What the supervisor records about itself, for the other commands and for the next start."""

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Literal

from stack.credentials import write_private
from stack.sessions import Identity

Phase = Literal["starting", "ready", "stopping", "failed", "stopped"]


@dataclass
class ServiceState:
    condition: str = "waiting"
    detail: str = ""
    identity: Identity | None = None
    restarts: int = 0
    ready_after: float | None = None


@dataclass
class StackState:
    supervisor: Identity
    ports: dict[str, int]
    phase: Phase = "starting"
    error: str = ""
    services: dict[str, ServiceState] = field(default_factory=dict)

    @property
    def sessions(self) -> list[Identity]:
        return [service.identity for service in self.services.values() if service.identity]


def state_file(directory: Path) -> Path:
    return directory / "state.json"


def write_state(directory: Path, state: StackState) -> None:
    write_private(state_file(directory), json.dumps(asdict(state), indent=1) + "\n")


def read_state(directory: Path) -> StackState | None:
    """Return what a supervisor of this directory last recorded, if one ever ran."""
    try:
        raw = json.loads(state_file(directory).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    services = {
        name: ServiceState(**values | {"identity": _identity(values["identity"])})
        for name, values in raw["services"].items()
    }
    return StackState(Identity(**raw["supervisor"]), raw["ports"], raw["phase"], raw["error"], services)


def _identity(raw: dict[str, float] | None) -> Identity | None:
    return Identity(int(raw["pid"]), raw["started"]) if raw else None
