"""Things that go wrong with the MySQL group; whom they hit is asked when they begin."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager

from tests.stack.alerts.system import System
from tests.stack.waiting import wait_until

BACKLOG = 1_050
AGAIN_SECONDS = 60.0


@contextmanager
def replicas_without_agents(system: System) -> Iterator[None]:
    """Keep the agents of both replicas down, so that nobody is led to these."""
    with system.group.held_down(*(system.group.agent(ordinal) for ordinal in system.replicas())):
        yield


@contextmanager
def locked_tasks(system: System) -> Iterator[None]:
    """Keep everybody from the table of tasks."""
    with system.group.session("mysql-primary") as cursor:
        cursor.execute(f"LOCK TABLES `{system.group.database}`.tasks WRITE")
        yield


@contextmanager
def replicas_that_stand_still(system: System) -> Iterator[None]:
    """Hold a lock on both replicas which what is to be applied needs, and ask the primary to hand over."""
    group = system.group
    first = group.primary()
    with group.session("mysql-primary") as cursor:
        cursor.execute(
            f"CREATE TABLE IF NOT EXISTS `{group.database}`.backlog (id INT PRIMARY KEY AUTO_INCREMENT)"
        )
    wait_until(lambda: group.answers("/replica") == sorted(system.replicas()), "the replicas have the table")
    with ExitStack() as locks:
        for ordinal in system.replicas():
            locked = locks.enter_context(group.session(group.server(ordinal), read_timeout=120))
            locked.execute(f"LOCK TABLES `{group.database}`.backlog READ")
        with group.session("mysql-primary") as cursor:
            for _ in range(BACKLOG):
                cursor.execute(f"INSERT INTO `{group.database}`.backlog VALUES ()")  # noqa: S608 - a name of our own
        locks.enter_context(group.asked_for_release(first))
        yield
    group.wait_complete()


@contextmanager
def written_past_the_group(system: System) -> Iterator[None]:
    """Write on a replica that is outside its group, as no program and many a person would."""
    group = system.group
    member = system.replicas()[0]
    with group.held_down(group.agent(member)):
        with group.held_down(group.server(member)):
            pass
        group.stack.wait_ready(group.server(member), AGAIN_SECONDS)
        with group.session(group.server(member), as_agent=True) as cursor:
            cursor.execute("SET GLOBAL super_read_only = OFF")
            cursor.execute("SET GLOBAL read_only = OFF")
        with group.session(group.server(member)) as cursor:
            cursor.execute(f"CREATE TABLE `{group.database}`.errant (id INT PRIMARY KEY)")
    try:
        yield
    finally:
        _let_the_group_know(system, member)
    group.wait_complete()


def _let_the_group_know(system: System, member: int) -> None:
    """Give the group an empty transaction of the same name: a person's way to say that it does not matter."""
    group = system.group
    with group.session(group.server(member), as_agent=True) as cursor:
        cursor.execute("SELECT CONCAT(@@server_uuid, ':', 1)")
        [[name]] = cursor.fetchall()
    with group.session("mysql-primary", as_agent=True) as cursor:
        cursor.execute("SET SESSION gtid_next = %s", (name,))
        cursor.execute("BEGIN")
        cursor.execute("COMMIT")
        cursor.execute("SET SESSION gtid_next = 'AUTOMATIC'")
