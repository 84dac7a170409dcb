"""Where the application's sessions lead when the members change roles."""

from collections.abc import Iterator

import pytest
from prometheus_client import CollectorRegistry
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from app.database import roles
from app.database.errors import is_unavailable
from app.database.routing import Database
from app.metrics import DatabaseMetrics
from stack.supervisor import Stack
from tests.stack.mysql_group import Group
from tests.stack.waiting import wait_until
from tests.stack.worker.ledger import settings_of


@pytest.fixture
def database(stack: Stack) -> Iterator[Database]:
    database = Database(settings_of(stack.env_for("api-1")), DatabaseMetrics(CollectorRegistry()))
    yield database
    database.dispose()


def member_of_a_read(database: Database) -> int:
    """Return the ordinal of the member that serves a read."""
    with database.read() as session:
        assert session.role == "replica"
        return int(session.scalars(text("SELECT @@server_id")).one()) - 101


def member_of_a_write(database: Database) -> int | None:
    """Return the ordinal of the member that a transaction is on, None while there is no primary."""
    try:
        with database.write() as session:
            return int(session.scalars(text("SELECT @@server_id")).one()) - 101
    except OperationalError as error:
        if not is_unavailable(error):
            raise
        return None


def test_a_replica_that_becomes_the_primary_serves_no_more_reads(
    group: Group, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roles, "PATIENCE_SECONDS", 0.2)
    promoted = member_of_a_read(database)
    with group.session(group.server(promoted), as_agent=True) as cursor:
        cursor.execute("SELECT group_replication_set_as_primary(@@server_uuid)")
    wait_until(lambda: group.answers("/haproxy/primary") == [promoted], "its agent knows its role")
    wait_until(lambda: member_of_a_read(database) != promoted, "reads go elsewhere", 5)
    assert promoted not in {member_of_a_read(database) for _ in range(10)}


def test_a_primary_that_becomes_a_replica_shows_nothing_under_the_name_of_the_primary(
    group: Group, database: Database
) -> None:
    old = group.primary()
    new = next(ordinal for ordinal in group.answers("/replica"))
    seen = list[int | None]()

    def on_the_new_one() -> bool:
        seen.append(member_of_a_write(database))
        return seen[-1] == new

    assert member_of_a_write(database) == old
    # without its agent nobody cuts the connection, and HAProxy goes on leading there for some seconds
    with group.held_down(group.agent(old)):
        with group.session(group.server(new), as_agent=True) as cursor:
            cursor.execute("SELECT group_replication_set_as_primary(@@server_uuid)")
        wait_until(on_the_new_one, "transactions are on the new one")
    assert set(seen) <= {None, new}
    group.wait_complete()
