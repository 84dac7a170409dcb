"""One rotation, from whatever point an earlier run has reached."""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

import structlog

from app.credentials.rotation.servers import TwoPasswords
from app.credentials.rotation.steps import NEXT, OLD, Step, drawn, forgotten, marked, steps_left, switched
from app.credentials.rotation.workloads import Workload

log = structlog.get_logger(__name__)


class Secret(Protocol):
    """The Secret of the passwords; each write is refused if somebody else wrote since the last look."""

    def values(self) -> dict[str, bytes]: ...

    def write(self, values: Mapping[str, bytes]) -> None: ...

    def rotation(self) -> str:
        """Return the name of the rotation that is under way."""


class Restarts(Protocol):
    def restart(self, workload: Workload, rotation: str) -> None: ...


class Rotation:
    """New passwords for servers, told to everybody who logs in there."""

    def __init__(
        self,
        secret: Secret,
        servers: Sequence[TwoPasswords],
        workloads: Sequence[Workload],
        restarts: Restarts,
        new_password: Callable[[], str],
    ) -> None:
        self._secret = secret
        self._servers = servers
        self._workloads = workloads
        self._restarts = restarts
        self._new_password = new_password
        self._deeds: dict[Step, Callable[[dict[str, bytes]], None]] = {
            Step.DRAW: self._draw,
            Step.ACCEPT: self._accept,
            Step.SWITCH: self._switch,
            Step.RESTART: self._restart,
            Step.DISCARD: self._discard,
            Step.FORGET: self._forget,
        }

    def run(self) -> None:
        """Do every step that is left."""
        for step in steps_left(self._secret.values()):
            log.info("rotating", step=step.value)
            self._deeds[step](self._secret.values())

    def _draw(self, values: dict[str, bytes]) -> None:
        self._secret.write(drawn(values, {server.key: self._new_password() for server in self._servers}))

    def _accept(self, values: dict[str, bytes]) -> None:
        new = marked(values, NEXT)
        old = {key: values[key].decode() for key in new}
        for server in self._servers:
            server.accept(old, new)

    def _switch(self, values: dict[str, bytes]) -> None:
        self._secret.write(switched(values))

    def _restart(self, _: dict[str, bytes]) -> None:
        rotation = self._secret.rotation()
        for workload in self._workloads:
            self._restarts.restart(workload, rotation)

    def _discard(self, values: dict[str, bytes]) -> None:
        new = {key: values[key].decode() for key in marked(values, OLD)}
        for server in self._servers:
            server.discard(new)

    def _forget(self, values: dict[str, bytes]) -> None:
        self._secret.write(forgotten(values))
