"""Who may found a group when there is none: one member, under one lock."""

from contextlib import ExitStack
from pathlib import Path

import httpx2 as httpx

from stack.place import HERE
from tests.failover import faults
from tests.failover.system import System
from tests.stack.mysql_group import ORDINALS
from tests.stack.waiting import wait_until
from tests.stack.worker.processes import OwnProcess, free_port


def test_without_the_lock_a_group_fails_over_but_is_not_founded(system: System) -> None:
    group = system.group
    with system.under_load("bootstrap lock held by another", faults.NOBODY_LEFT), faults.lock_held(system):
        faults.kill(system, faults.primary(system))
        group.wait_complete()
        faults.kill(system, *ORDINALS)
        wait_until(lambda: "lock_held" in faults.reasons(system), "the founder waits for the lock", 90)
        assert group.answers("/primary") == []


def test_of_two_members_that_both_mean_to_found_one_does(system: System, tmp_path: Path) -> None:
    """Each is told that it comes first, and all hold the same: nothing but the lock decides."""
    group = system.group
    with system.under_load("two founders at once", faults.NOBODY_LEFT) as load:
        load.stop()
        faults.wait_equal(system)
        with group.held_down(*map(group.agent, ORDINALS)), ExitStack() as rivals:
            with group.held_down(*map(group.server, ORDINALS)):
                pass
            for ordinal in ORDINALS:
                group.stack.wait_ready(group.server(ordinal), 60)
            with faults.lock_held(system):
                found = [rivals.enter_context(Rival(system, ordinal, tmp_path)) for ordinal in (1, 2)]
                for one in found:
                    wait_until(lambda one=one: one.reason() == "lock_held", "both mean to found", 60)  # type: ignore[misc]
            for ordinal in (1, 2):
                wait_until(lambda of=ordinal: faults.members_online(system, of) == 2, "one group of both", 60)  # type: ignore[misc]
            assert sorted(one.founded() for one in found) == [0, 1]
        load.start()


class Rival(OwnProcess):
    """An agent that takes its member for the first one, and was not told of any other order."""

    def __init__(self, system: System, ordinal: int, folder: Path) -> None:
        environment = system.stack.env_for(system.group.agent(ordinal))
        addresses = dict(one.split("=") for one in environment["MYSQL_AGENT_MEMBERS"].split(","))
        own = system.group.server(ordinal)
        order = [own, *(name for name in addresses if name != own)]
        members = ",".join(f"mysql-{place}={addresses[name]}" for place, name in enumerate(order))
        port = free_port()
        self._url = f"http://{system.group.host(own)}:{port}"
        changes = {
            "MYSQL_AGENT_NAME": "mysql-0",
            "MYSQL_AGENT_MEMBERS": members,
            "MYSQL_AGENT_HTTP_PORT": str(port),
        }
        place = system.stack.config.places.get(own, HERE)
        super().__init__("mysql_agent", environment | changes, folder, place.enter)

    def reason(self) -> str:
        try:
            return str(httpx.get(self._url, timeout=5).json()["decision"]["reason"])
        except (httpx.HTTPError, ValueError):  # it has not looked yet
            return ""

    def founded(self) -> float:
        lines = httpx.get(f"{self._url}/metrics", timeout=5).text.splitlines()
        return next(
            float(line.split()[-1]) for line in lines if line.startswith("mysql_agent_bootstrap_total ")
        )
