"""Which port each part listens on: fixed ones for people, free ones for tests."""

import os
import random
import socket
from collections.abc import Callable, Mapping

HTTP = 8090
BASE = 18090
LOWEST, HIGHEST = 1024, 65535
NAMES = (
    "haproxy-stats",
    "mysql-primary",
    "mysql-replicas",
    "prometheus",
    "flower",
    "redis",
    *(f"api-{number}" for number in (1, 2, 3)),
    *(f"worker-{number}" for number in (1, 2)),
    *(f"relay-{number}" for number in (1, 2)),
    *(f"mysql-{ordinal}" for ordinal in (0, 1, 2)),
    *(f"mysql-{ordinal}-admin" for ordinal in (0, 1, 2)),
    *(f"agent-{ordinal}" for ordinal in (0, 1, 2)),
)
# Below the range the kernel takes client ports from, so that no outgoing connection grabs one in between.
FREE_RANGE = (20000, 32000)

Ports = Mapping[str, int]


class PortError(Exception):
    """A port is taken or a setting names no port."""


def fixed_ports(environment: Mapping[str, str] = os.environ) -> dict[str, int]:
    """Return the ports people find the parts on, moved by CONVEYOR_HTTP_PORT and CONVEYOR_BASE_PORT."""
    http = _number(environment, "CONVEYOR_HTTP_PORT", HTTP)
    base = _number(environment, "CONVEYOR_BASE_PORT", BASE)
    if base <= http < base + len(NAMES):
        raise PortError(
            f"CONVEYOR_HTTP_PORT={http} lies inside the block {base}-{base + len(NAMES) - 1} of "
            "CONVEYOR_BASE_PORT: move one of them"
        )
    return {"http": http} | {name: base + offset for offset, name in enumerate(NAMES)}


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, "").strip() or str(default)
    last = HIGHEST if name == "CONVEYOR_HTTP_PORT" else HIGHEST - len(NAMES)
    if not text.isdecimal() or not LOWEST <= int(text) <= last:
        raise PortError(f"{name}={text} is not a port between {LOWEST} and {last}")
    return int(text)


def can_bind(port: int) -> bool:
    with socket.socket() as probe:
        # As the daemons do: a port in TIME_WAIT is free, one that is listened on is not.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_ports(is_free: Callable[[int], bool] = can_bind) -> dict[str, int]:
    """Return ports that nobody listens on, drawn at random so that parallel runs rarely meet."""
    candidates = random.SystemRandom().sample(range(*FREE_RANGE), k=2000)
    free = (port for port in candidates if is_free(port))
    return dict(zip(("http", *NAMES), free, strict=False))


def require_free(
    ports: Ports, owner: Callable[[int], str], is_free: Callable[[int], bool] = can_bind
) -> None:
    """Refuse to start on ports that others use, and say who does."""
    taken = [
        f"  {name}: port {port} is used by {owner(port)}" for name, port in ports.items() if not is_free(port)
    ]
    if taken:
        raise PortError(
            "\n".join(
                [
                    "ports that Conveyor needs are taken:",
                    *taken,
                    "end that process, or choose other ports:",
                    "  CONVEYOR_HTTP_PORT=9090 CONVEYOR_BASE_PORT=19090 make up",
                ]
            )
        )
