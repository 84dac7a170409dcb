"""What can be done to the members of the group; each returns, or ends its context, when the harm is over."""

import fcntl
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.failover.books import position_of
from tests.failover.journal import Journal
from tests.failover.system import System
from tests.failover.verdict import UNAVAILABLE, Expected
from tests.stack.mysql_group import ORDINALS
from tests.stack.waiting import wait_until

AGAIN_SECONDS = 60.0
SWITCHED_OVER = 'mysql_agent_switchovers_total{outcome="done"}'
NOBODY_LEFT = Expected(reads_refused=True)
ONLINE = "SELECT COUNT(*) FROM performance_schema.replication_group_members WHERE member_state = 'ONLINE'"


def primary(system: System) -> int:
    wait_until(lambda: len(system.group.answers("/primary")) == 1, "the group has a primary", AGAIN_SECONDS)
    return system.group.primary()


def replicas(system: System) -> list[int]:
    first = primary(system)
    return [ordinal for ordinal in ORDINALS if ordinal != first]


def successor(system: System, old: int) -> int:
    """Wait for another primary than a lost one."""
    found: list[int] = []

    def elected() -> bool:
        found[:] = [ordinal for ordinal in system.group.answers("/primary") if ordinal != old]
        return bool(found)

    wait_until(elected, "there is another primary", AGAIN_SECONDS)
    return found[0]


def wait_refused(journal: Journal, since: float) -> None:
    """Wait until the API refuses a write."""
    wait_until(
        lambda: any(one.sent > since and one.status == UNAVAILABLE for one in journal.writes),
        "writes are refused",
        AGAIN_SECONDS,
    )


def wait_reason(system: System, ordinal: int, reason: str, seconds: float = AGAIN_SECONDS) -> str:
    """Wait until an agent gives a reason for what it does; return its words."""
    decision: dict[str, str] = {}

    def given() -> bool:
        decision.update(system.group.decision(ordinal))
        return decision["reason"] == reason

    wait_until(given, f"agent-{ordinal} says {reason}", seconds)
    return decision["message"]


def kill(system: System, *ordinals: int) -> None:
    """End servers as a crash would; they are started anew at once."""
    for ordinal in ordinals:
        system.stack.service(system.group.server(ordinal)).kill(signal.SIGKILL)


def kill_again(system: System, ordinal: int) -> None:
    """Kill a server, and once more while the group still remembers its previous run."""
    server = system.stack.service(system.group.server(ordinal))
    pid = server.pid
    kill(system, ordinal)
    wait_until(lambda: server.pid != pid, "the server is started anew", AGAIN_SECONDS)
    system.stack.wait_ready(system.group.server(ordinal), AGAIN_SECONDS)
    kill(system, ordinal)


def wait_released(released: Path) -> float:
    return wait_until(released.exists, "the agent releases its server", 30)


def stop(system: System, ordinal: int) -> None:
    """End a server as a container is ended; it is started anew."""
    system.stack.service(system.group.server(ordinal)).kill(signal.SIGTERM)


def hand_over(system: System, ordinal: int) -> float:
    """Stop a server in order, as the hook of a container does; return the seconds until it was released."""
    with system.group.asked_for_release(ordinal) as released:
        seconds = wait_released(released)
        stop(system, ordinal)
        wait_until(lambda: not released.exists(), "a server that started anew is not to be stopped", 60)
    return seconds


@contextmanager
def frozen(system: System, ordinal: int) -> Iterator[None]:
    server = system.stack.service(system.group.server(ordinal))
    server.freeze()
    try:
        yield
    finally:
        server.thaw()


def freeze(system: System, ordinal: int, seconds: float) -> None:
    with frozen(system, ordinal):
        time.sleep(seconds)


@contextmanager
def isolated(system: System, ordinal: int, *, from_clients: bool = True) -> Iterator[None]:
    """Cut a member off from the others, in both directions and silently."""
    network = system.network
    with network.without(*network.around(system.group.server(ordinal), clients=from_clients)):
        yield


def roll(system: System) -> None:
    """Restart every member in order, the last one first as a StatefulSet does."""
    for ordinal in reversed(ORDINALS):
        hand_over(system, ordinal)
        system.group.wait_complete()


def lock_file(system: System) -> Path:
    return Path(system.stack.env_for("agent-0")["MYSQL_AGENT_LOCK_FILE"])


@contextmanager
def lock_held(system: System) -> Iterator[None]:
    """Keep every agent from founding a group."""
    with lock_file(system).open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def reasons(system: System) -> set[str]:
    return {system.group.decision(ordinal)["reason"] for ordinal in ORDINALS}


def founded(system: System) -> list[float]:
    """Return how often each agent has founded a group."""
    return [system.group.metric(ordinal, "mysql_agent_bootstrap_total") for ordinal in ORDINALS]


def wait_equal(system: System) -> None:
    """Wait until nobody writes any more and all members have the same transactions."""
    before: list[str] = []

    def equal() -> bool:
        last, before[:] = before[:], [position_of(system.group, ordinal) for ordinal in ORDINALS]
        return len(set(before)) == 1 and last == before

    wait_until(equal, "all members hold the same and nobody writes", AGAIN_SECONDS, poll_seconds=1)


def members_online(system: System, ordinal: int) -> int:
    """Return how many members a server sees online, itself among them; 0 if it is outside a group."""
    with system.group.session(system.group.server(ordinal)) as cursor:
        cursor.execute(ONLINE)
        [[count]] = cursor.fetchall()
        return int(count)
